/** What stands at the ends of lines: the shape that the last statement of a line gives, in one of the networks that use it. */
import type { Span, Statement } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { NETWORK_WORDS } from "../elaborate/network-words.js";
import type { Editor } from "./editor.js";
import { factsOf, instancesOf, shortCount, type Instance } from "./facts.js";
import { costText } from "./hover.js";
import { declarationAt, statementsIn } from "./syntax-at.js";

/** What a hint tells. */
export interface HintSettings {
  readonly shapes: boolean;
  readonly params: boolean;
  readonly macs: boolean;
}

/** What hints tell where nobody says otherwise: shapes. */
export const HINTS: HintSettings = { shapes: true, params: false, macs: false };

/** What stands at the end of a line. */
export interface Hint {
  /** The end of the line. */
  readonly offset: number;
  readonly text: string;
  /** Markdown: in which network, and everything else that is known. */
  readonly tooltip: string;
}

/** An instantiation of a block, to be shown in its body: `ResNet50 conv3.0`. */
export type Chosen = ReadonlyMap<string, string>;

/** How a declaration is called in {@link Chosen}. */
export function choiceKey(path: string, declaration: string): string {
  return `${path}#${declaration}`;
}

/** Where an instantiation stands. */
export function placeOf({ network, path }: Instance): string {
  return path === "" ? network : `${network} ${path}`;
}

/** The hints of the lines whose ends are in a range of a file. */
export function hintsIn(
  editor: Editor,
  path: string,
  range: Pick<Span, "start" | "end">,
  settings: HintSettings,
  chosen: Chosen,
): Hint[] {
  const parsed = editor.parsed(path);
  if (!parsed || !(settings.shapes || settings.params || settings.macs)) return [];
  const { text, file } = parsed;
  // Of the statements that end in a line, the last and outermost.
  const lines = new Map<number, Statement>();
  for (const statement of statementsIn(file)) {
    const { end } = statement.span;
    if (end < range.start || end > range.end) continue;
    if (statement.kind !== "use" && statement.kind !== "stage" && statement.kind !== "input") continue;
    if (isSetting(statement)) continue;
    const next = text.indexOf("\n", end);
    const lineEnd = next < 0 ? text.length : next;
    const before = lines.get(lineEnd);
    if (!before || before.span.end < end) lines.set(lineEnd, statement);
  }
  const inOrder = [...lines].sort(([a], [b]) => a - b);
  return inOrder.flatMap(([lineEnd, statement]) => {
    const around = declarationAt(file, statement.span.start)?.name.text ?? "";
    const wanted = chosen.get(choiceKey(path, around));
    const instances = instancesOf(editor, statement.span);
    const shown =
      instances.find((each) => wanted === undefined || isInside(each, wanted)) ??
      (wanted === undefined ? undefined : instances[0]);
    if (!shown) return [];
    const facts = factsOf(shown);
    if (facts.output === undefined) return [];
    const parts = [
      settings.shapes && short(facts.output),
      settings.params && facts.params > 0 && shortCount(facts.params),
      settings.macs && facts.macs !== null && facts.macs > 0 && `${shortCount(facts.macs)} MAC`,
    ].filter((part) => typeof part === "string");
    // An input's shape stands there already.
    if (parts.length === 0 || (parts.length === 1 && text.slice(0, lineEnd).trimEnd().endsWith(` ${parts[0]!}`)))
      return [];
    const costs = costText(facts);
    const tooltip = `**${placeOf(shown)}**: ${facts.input ?? "nothing"} to ${facts.output}${costs === "" ? "" : `; ${costs}`}`;
    // A carriage return is no part of the line.
    const at = text[lineEnd - 1] === "\r" ? lineEnd - 1 : lineEnd;
    return [{ offset: at, text: parts.join(" · "), tooltip }];
  });
}

/** `shortcuts ...`: what flows goes on as it came. */
function isSetting(statement: Statement): boolean {
  return (
    statement.kind === "use" &&
    statement.style === "bare" &&
    own(NETWORK_WORDS, statement.target[0]?.text ?? "") !== undefined
  );
}

/** Whether it is that instantiation, or a part of it. */
export function isInside(instance: Instance, wanted: string): boolean {
  const place = placeOf(instance);
  return place === wanted || place.startsWith(`${wanted}.`) || (!wanted.includes(" ") && instance.network === wanted);
}

const short = (text: string): string => (text.length > 48 ? `${text.slice(0, 45)}...` : text);
