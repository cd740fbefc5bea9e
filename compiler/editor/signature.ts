/** The arguments of what is being written, and which of them it is. */
import { argumentLabels, takes } from "../words/describe.js";
import { isBare } from "../words/schema.js";
import { cursorAt, type Callee } from "./cursor.js";
import { wordOf } from "./completion.js";
import type { Editor } from "./editor.js";
import { followed, parametersOf } from "./static.js";
import { presence } from "./text.js";

/** What something takes. */
export interface Signature {
  readonly label: string;
  readonly parameters: readonly { readonly label: string; readonly documentation: string }[];
  /** Of the one that is written; undefined where it is none of them. */
  readonly active: number | undefined;
  readonly documentation: string;
}

/** What the thing that is being written takes, and at which argument the place is. */
export function signatureAt(editor: Editor, path: string, offset: number): Signature | undefined {
  const parsed = editor.parsed(path);
  if (!parsed) return undefined;
  const cursor = cursorAt(parsed.text, offset);
  const callee = cursor.callees.at(-1) ?? numberInside(parsed.text, offset);
  if (!callee) return undefined;
  const word = wordOf(cursor.callees.length > 0 ? cursor : cursorAt(spread(parsed.text, offset), offset), callee);
  if (word) {
    const names = Object.entries(word.arguments);
    if (names.length === 0) return undefined;
    const labels = argumentLabels(word);
    const list = labels.join(", ");
    return {
      label: isBare(word) ? `${word.name} ${list}` : `${word.name}(${list})`,
      documentation: word.doc,
      parameters: names.map(([, argument], i) => ({
        label: labels[i]!,
        documentation: `${takes(argument)}${presence(argument)}. ${argument.doc}`,
      })),
      active: activeOf(
        callee,
        names.map(([name]) => name),
      ),
    };
  }
  const [first] = callee.names;
  const value =
    first &&
    callee.names.length === 1 &&
    followed(editor, parsed, { kind: "name", text: first.text, span: first.span });
  const found = value ? parametersOf(editor, value) : undefined;
  if (!found || found.free.length === 0) return undefined;
  const labels = found.free.map(({ span }) => found.of.parsed.text.slice(span.start, span.end).replace(/\s+/g, " "));
  return {
    label: `${first!.text}(${labels.join(", ")})`,
    documentation: found.of.declaration.doc ?? "",
    parameters: labels.map((label) => ({ label, documentation: "" })),
    active: activeOf(
      callee,
      found.free.map(({ name }) => name.text),
    ),
  };
}

/** `conv 3x|3`: within a number or a size, whose place a name takes for the look. */
function numberInside(text: string, offset: number): Callee | undefined {
  return cursorAt(spread(text, offset), offset).callees.at(-1);
}

/** The text with a name in place of the number around, as long as it is. */
function spread(text: string, offset: number): string {
  let [start, end] = [offset, offset];
  while (/[\w.]/.test(text[start - 1] ?? "")) start--;
  while (/[\w.]/.test(text[end] ?? "")) end++;
  return `${text.slice(0, start)}${"a".repeat(end - start)}${text.slice(end)}`;
}

function activeOf({ arguments: args, index, name }: Callee, names: readonly string[]): number | undefined {
  if (args[index]?.strideShorthand) return at(names.indexOf("stride"));
  if (name !== undefined && names.includes(name)) return names.indexOf(name);
  const given = args.slice(0, index);
  const byName = new Set(given.flatMap((each) => (each.strideShorthand ? "stride" : (each.name?.text ?? []))));
  const places = given.filter((each) => !each.name && !each.strideShorthand).length;
  const free = names.map((each, i) => ({ each, i })).filter(({ each }) => !byName.has(each));
  return free[places]?.i;
}

const at = (index: number): number | undefined => (index < 0 ? undefined : index);
