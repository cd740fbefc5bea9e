/** What is said of the thing under the mouse: what a word does, and what came of a statement in each network. */
import type { Span, Statement } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { FUNCTIONS } from "../elaborate/functions.js";
import { formatValue, isList, isRecord, type EvalValue } from "../elaborate/values.js";
import type { Cost } from "../summary.js";
import type { Editor } from "./editor.js";
import { factsOf, instancesOf, shapeText, shortBytes, shortCount, type Facts, type Instance } from "./facts.js";
import { occurrenceAt, type Occurrence } from "./occurrences.js";
import { statementsAt } from "./syntax-at.js";
import { argumentText, code, declarationText, wordText } from "./text.js";

/** What is shown of a place. */
export interface Hover {
  readonly span: Span;
  /** Markdown. */
  readonly text: string;
}

/** Rows of the table of instantiations. */
const MOST_ROWS = 8;

/** What the thing at a place is: a word with its documentation, a name, a layer with its shapes and costs. */
export function hoverAt(editor: Editor, path: string, offset: number): Hover | undefined {
  const parsed = editor.parsed(path);
  if (!parsed) return undefined;
  const here = occurrenceAt(editor, parsed, offset);
  const around = statementsAt(parsed.file, offset);
  const statement = around.at(-1);
  // The name of a statement: its word, its label, the name of its stage.
  const named =
    statement && here && namesOf(statement).some((span) => span.start === here.span.start) ? statement : undefined;
  const parts: string[] = [];
  let span = here?.span;
  if (here) parts.push(...meaningText(editor, here, path));
  else {
    const { start, end, text } = plainWord(parsed.text, offset);
    const [said, isStatement] = statementText(text, start, statement);
    if (said === undefined) return undefined;
    span = { file: path, start, end };
    parts.push(said, ...(isStatement ? factsText(instancesOf(editor, statement!.span)) : []));
  }
  if (named) parts.push(...factsText(instancesOf(editor, named.span)));
  else if (here?.meaning.kind === "name" && statement) parts.push(...valuesText(editor, here, around));
  return span && parts.length > 0 ? { span, text: parts.join("\n\n---\n\n") } : undefined;
}

function namesOf(statement: Statement): Span[] {
  switch (statement.kind) {
    case "use":
      return [statement.label, ...statement.target].flatMap((each) => each?.span ?? []);
    case "stage":
    case "input":
      return [statement.name.span];
    default:
      return [];
  }
}

function meaningText(editor: Editor, { meaning }: Occurrence, path: string): string[] {
  if (meaning.kind === "word") return [wordText(meaning.word)];
  if (meaning.kind !== "name") return [argumentText(meaning.word, meaning.argument)];
  const { target } = meaning;
  const text = editor.source(target.span.file) ?? "";
  if (target.declaration) {
    const from = target.span.file === path ? "" : `\n\n*${target.span.file.replace(/\.resnet$/, "")}*`;
    return [declarationText(target.declaration, text) + from];
  }
  return target.what === "given" ? [GIVEN] : [code(`${NOUNS[target.what] ?? target.what} ${target.name}`)];
}

const GIVEN = "Given by the language: what arrives, or what is known of it.";
const NOUNS: Readonly<Record<string, string>> = { variable: "for", label: "label", parameter: "parameter" };

/** The word around a place. */
function plainWord(
  text: string,
  offset: number,
): { readonly start: number; readonly end: number; readonly text: string } {
  let [start, end] = [offset, offset];
  while (/\w/.test(text[start - 1] ?? "")) start--;
  while (/\w/.test(text[end] ?? "")) end++;
  return { start, end, text: text.slice(start, end) };
}

/** Words that are no names and stand in no table: what begins a statement, and functions. */
function statementText(
  word: string,
  start: number,
  statement: Statement | undefined,
): readonly [string | undefined, boolean] {
  const found = own(FUNCTIONS, word);
  if (found) return [`${code(`${word}(...)`)}\n\n${found.doc}`, false];
  const begins = statement?.span.start === start && (statement.kind === "stage" || statement.kind === "input");
  return begins ? [own(STATEMENTS, word), true] : [own(STATEMENTS, word), false];
}

const STATEMENTS: Readonly<Record<string, string>> = {
  input: "Names the image that arrives, and says its channels, height and width.",
  stage: "A named part of the network. Its stride is that of the first layer or block in it that has one.",
  head: "The stage of that name.",
  let: "Names a value.",
  assert: "Ends with an error where its condition is false.",
  for: "Repeats statements: over a range, both ends included, or a list.",
  if: "Statements, or a value, for where a condition is true.",
  on: "Takes the flow up at another tensor; of a list, at each.",
  x: "Repeats what stands before it.",
  none: "Not given: as a statement it adds nothing, as an argument it is as if that were left out.",
};

/** What the statement gave, in each network that carries it out: different results in a row each. */
function factsText(instances: readonly Instance[]): string[] {
  if (instances.length === 0) return [];
  const rows = new Map<string, { readonly facts: Facts; readonly where: string[] }>();
  for (const instance of instances.slice(0, 2000)) {
    const facts = factsOf(instance);
    const key = [facts.input, facts.output, costText(facts), fieldText(facts)].join();
    const where = instance.path === "" ? instance.network : `${instance.network} ${instance.path}`;
    const row = rows.get(key);
    if (row) row.where.push(where);
    else rows.set(key, { facts, where: [where] });
  }
  const shown = [...rows.values()].slice(0, MOST_ROWS).map(({ facts, where }) => {
    const more = where.length > 1 ? ` and ${where.length - 1} more` : "";
    const shape = `${facts.input ?? "nothing"} to ${facts.output ?? "nothing: see the errors"}`;
    return `- **${where[0]!}**${more}: ${[shape, costText(facts), fieldText(facts)].filter((part) => part !== "").join("; ")}`;
  });
  const left = rows.size - shown.length;
  return [[...shown, ...(left > 0 ? [`- ... and ${left} other results`] : [])].join("\n")];
}

/** "4.72 k parameters, 14.8 M multiply-adds, 802 kB of activations": at batch 1. */
export function costText({ params, macs, activations }: Cost): string {
  return [
    params > 0 && `${shortCount(params)} parameters`,
    macs === null ? "multiply-adds known only when it runs" : macs > 0 && `${shortCount(macs)} multiply-adds`,
    activations !== null && activations > 0 && `${shortBytes(activations)} of activations`,
  ]
    .filter((part) => typeof part === "string")
    .join(", ");
}

function fieldText({ field }: Facts): string {
  if (!field) return "";
  const pair = ([y, x]: readonly [number, number]): string => (y === x ? number(y) : `${number(y)}x${number(x)}`);
  const size = field.size === "whole" ? "the whole image" : `${pair(field.size)} pixels`;
  return `sees ${size}${field.size === "whole" ? "" : `, stride ${pair(field.stride)}`}`;
}

const number = (value: number): string => String(Number(value.toPrecision(5)));

/** The values of a name where it stands, in each network. */
function valuesText(editor: Editor, { meaning }: Occurrence, around: readonly Statement[]): string[] {
  if (meaning.kind !== "name" || meaning.target.declaration) return [];
  const statement = around.findLast(({ kind }) => kind === "use" || kind === "stage" || kind === "input");
  if (!statement) return [];
  const found = new Map<string, string[]>();
  for (const { network, path, step } of instancesOf(editor, statement.span).slice(0, 500)) {
    const value = step.context.environment.lookup(meaning.called.name)?.get();
    if (value === undefined) continue;
    const text = valueText(value);
    found.set(text, [...(found.get(text) ?? []), path === "" ? network : `${network} ${path}`]);
  }
  const rows = [...found].slice(0, MOST_ROWS);
  return rows.length === 0
    ? []
    : [
        rows
          .map(
            ([text, [first, ...more]]) => `- ${text} in ${first!}${more.length > 0 ? ` and ${more.length} more` : ""}`,
          )
          .join("\n"),
      ];
}

function valueText(value: EvalValue): string {
  if (isRecord(value, "tensor")) return shapeText(value.value.type.shape);
  if (isList(value) && value.some((each) => isRecord(each, "tensor"))) return value.map(valueText).join(", ");
  return `\`${formatValue(value)}\``;
}
