/** What a statement of a network costs and gives, each time that it is carried out. */
import type { Span } from "../../grammar/ast.js";
import { isTensor } from "../elaborate/context.js";
import type { Step, Trace } from "../elaborate/trace.js";
import { formatDim, type Dim } from "../ir/dim.js";
import { receptiveFields, type ReceptiveField } from "../receptive-field.js";
import { costOfLayers, type Cost } from "../summary.js";
import type { Editor } from "./editor.js";

/** A statement in a network, carried out once. */
export interface Instance {
  /** The network in which it was carried out, `ResNet50`, and where in it: `conv3.0`; empty: in its own body. */
  readonly network: string;
  /** The file in which that is declared. */
  readonly file: string;
  readonly path: string;
  readonly step: Step;
  readonly trace: Trace;
}

/** All times that the statement at a place was carried out, in the networks of the open files; those of its own file first. */
export function instancesOf(editor: Editor, span: Span): Instance[] {
  return editor.elaborated(span.file).flatMap((network) => {
    const { trace, name, path: file } = network;
    if (!trace) return [];
    const steps = stepsBy(trace).get(keyOf(network.then(span))) ?? [];
    return steps.map((step) => ({ network: name, file, path: step.context.scope.path, step, trace }));
  });
}

const indexes = new WeakMap<Trace, Map<string, Step[]>>();

/** By the place of the statement. */
function stepsBy(trace: Trace): ReadonlyMap<string, readonly Step[]> {
  const known = indexes.get(trace);
  if (known) return known;
  const index = new Map<string, Step[]>();
  for (const step of trace.steps) {
    const key = keyOf(step.statement.span);
    const before = index.get(key);
    if (before) before.push(step);
    else index.set(key, [step]);
  }
  indexes.set(trace, index);
  return index;
}

function keyOf({ file, start, end }: Span): string {
  return `${file} ${start} ${end}`;
}

/** What is known of a statement that was carried out. */
export interface Facts extends Cost {
  /** Shapes without the batch: `64x56x56`; undefined where nothing arrives, or flows on. */
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly field: ReceptiveField | undefined;
}

export function factsOf({ step, trace }: Instance): Facts {
  const { before, after, first, end } = step;
  const given = isTensor(after) ? after : undefined;
  return {
    input: isTensor(before) ? shapeText(before.value.type.shape) : undefined,
    output: given && shapeText(given.value.type.shape),
    field: given && fieldsOf(trace).get(given.value.id),
    ...costOfLayers(trace.nodes.slice(first, end), trace.parameters),
  };
}

const fields = new WeakMap<Trace, ReadonlyMap<number, ReceptiveField>>();

function fieldsOf(trace: Trace): ReadonlyMap<number, ReceptiveField> {
  const known =
    fields.get(trace) ?? receptiveFields(trace.nodes, new Set(trace.parameters.map(({ value }) => value.id)));
  fields.set(trace, known);
  return known;
}

/** Without the batch: `64x56x56`, `1000`; of what has no batch in front the whole: `[R, 5]`. */
export function shapeText(shape: readonly Dim[]): string {
  const [batch, ...rest] = shape.map((dim) => (typeof dim === "number" ? String(dim) : formatDim(dim)));
  if (batch !== "N" || rest.length === 0) return `[${[batch, ...rest].join(", ")}]`;
  return rest.map((dim) => (/^\w+$/.test(dim) ? dim : `(${dim})`)).join("x");
}

/** 25.6 M: with three digits. */
export function shortCount(count: number): string {
  for (const [unit, size] of [
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const) {
    if (count >= 0.9995 * size) return `${Number((count / size).toPrecision(3))} ${unit}`;
  }
  return String(count);
}

/** 3.1 MB. */
export function shortBytes(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${shortCount(bytes)}B`;
}
