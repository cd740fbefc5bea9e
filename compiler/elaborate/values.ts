/** What expressions evaluate to. Plain data is plain JavaScript; the rest are small records told apart by `kind`. */
import type { Argument, Body, Declaration, Use } from "../../grammar/ast.js";
import { formatDim, type Dim } from "../ir/dim.js";
import type { Tensor, Word } from "../words/schema.js";
import type { DraftParameter } from "./draft.js";
import type { Environment } from "./environment.js";
import type { Context } from "./context.js";
import type { Site } from "./site.js";

export type EvalValue =
  | number
  | boolean
  | string
  | readonly EvalValue[]
  | DeclarationValue
  | LayerValue
  | PartValue
  | SharedValue
  | TensorValue
  | FunctionValue
  | SymbolValue
  | SizeValue
  | RecordValue
  | None
  | Unknown;

/** Stands for a value whose evaluation failed; it was reported, and whatever meets it stays silent. */
export interface Unknown {
  readonly kind: "unknown";
}
export const UNKNOWN: Unknown = { kind: "unknown" };

/** `none`: not given. As an argument of a word it is as if that were left out, as a statement it adds nothing. */
export interface None {
  readonly kind: "none";
}
export const NONE: None = { kind: "none" };

/** A block, shortcut, network, ..., perhaps with some of its arguments given: `bottleneck(groups: 32)`. */
export interface DeclarationValue {
  readonly kind: "declaration";
  readonly declaration: Declaration;
  /** Names of the file that declares it. */
  readonly environment: Environment;
  readonly given: ReadonlyMap<string, EvalValue>;
  /** Of those given by place, the ones that took another's, since that was given before: `64` as the stride of `basic(16)`. */
  readonly moved?: readonly Moved[];
  /** The name by which it was reached: `ResNet50`, where the body is ResNet's. */
  readonly alias?: string;
}

/** A word among layers. */
export interface LayerWord extends Word {
  /** It adds no layer where it stands, so that nothing has to flow there. */
  readonly defines?: true;
  /** It stands beside the flow, which goes on as it came. */
  readonly isAside?: true;
  /** @param given arguments that are not among those of the statement: of `norm`, where that is `group_norm(32)`. */
  apply(use: Use, context: Context, given: LayerArguments): void;
}

/** A layer, perhaps with some of its arguments given: `relu`, `group_norm(32)`. */
export interface LayerValue {
  readonly kind: "layer";
  readonly word: LayerWord;
  /** By name, as its schema has them. */
  readonly given: LayerArguments;
  /** The same with more arguments; unknown after an error, which is reported. */
  with(args: readonly Argument[], site: Site): LayerValue | Unknown;
}

/** Arguments of a layer that are bound already. */
export type LayerArguments = Readonly<Record<string, unknown>>;

/** An argument without a name that is not the first parameter's, as one would think. */
export interface Moved {
  readonly parameter: string;
  readonly value: EvalValue;
  /** The parameters before it, which were given. */
  readonly before: readonly string[];
}

/** Stages of a network: `backbone.conv4`, `backbone.conv1 .. backbone.conv4`. */
export interface PartValue {
  readonly kind: "part";
  readonly network: DeclarationValue;
  readonly from: string;
  readonly to: string;
}

/** `head = shared { ... }`: layers that are used several times with the same weights. */
export interface SharedValue {
  readonly kind: "shared";
  readonly name: string;
  readonly body: Body;
  /** Where it is defined: its names, and the shortcuts in force there. */
  readonly context: Context;
  /** In the order in which its layers ask for them; filled by the first use. */
  readonly parameters: DraftParameter[];
  readonly uses: { count: number };
}

/** A tensor of the graph, with how much smaller its map is than the network's input (`[16, 16]` for conv4). */
export interface TensorValue extends Tensor {
  /** How many residuals it has passed since the network's input, on the way with the most of them; absent: none. */
  readonly residuals?: number;
  /** Of what a block, a shared part or a network gives: the tensors that are labelled in it. */
  readonly members?: ReadonlyMap<string, EvalValue>;
}

export interface FunctionValue {
  readonly kind: "function";
  readonly name: string;
}

/** A symbolic size: `H` in `3xHxW`. */
export interface SymbolValue {
  readonly kind: "symbol";
  readonly name: string;
}

/** A size that is not a number when compiling: `input.height` of `3xHxW`. */
export interface SizeValue {
  readonly kind: "size";
  readonly dim: Dim;
}

/** What a declaration such as a dialect says, by its words and their arguments. */
export interface RecordValue {
  readonly kind: "record";
  /** For messages: `dialect paper`. */
  readonly of: string;
  readonly members: ReadonlyMap<string, EvalValue>;
}

export function isRecord<K extends string>(value: EvalValue, kind: K): value is Extract<EvalValue, { kind: K }> {
  return typeof value === "object" && !Array.isArray(value) && (value as { kind: string }).kind === kind;
}

export function isList(value: EvalValue): value is readonly EvalValue[] {
  return Array.isArray(value);
}

/** A `let` with parameters is a function. */
function nounOf({ declaration }: DeclarationValue): string {
  return declaration.keyword === "let" ? "function" : declaration.keyword;
}

/** A network, block, ... by its article: for messages. */
export function describeKind(value: EvalValue): string {
  if (typeof value === "number") return Number.isInteger(value) ? "a whole number" : "a number";
  if (typeof value === "boolean") return "true or false";
  if (typeof value === "string") return "a string";
  if (isList(value)) return "a list";
  switch (value.kind) {
    case "declaration":
      return `the ${nounOf(value)} \`${value.declaration.name.text}\``;
    case "layer":
      return `the layer \`${value.word.name}\``;
    case "none":
      return "none";
    case "part":
      return "part of a network";
    case "shared":
      return `the shared part \`${value.name}\``;
    case "tensor":
      return "a tensor";
    case "function":
      return `the function \`${value.name}\``;
    case "symbol":
      return `the symbol \`${value.name}\``;
    case "size":
      return `the size ${formatDim(value.dim)}, known only when the network runs`;
    case "record":
      return value.of;
    case "unknown":
      return "unknown";
  }
}

/** Elements of a list that a message shows. */
const SHOWN_ELEMENTS = 12;

/** As it would be written; for messages. Of long lists the beginning. */
export function formatValue(value: EvalValue, levels = 3): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (isList(value)) {
    if (levels === 0) return "[...]";
    const shown = value.slice(0, SHOWN_ELEMENTS).map((element) => formatValue(element, levels - 1));
    return `[${[...shown, ...(value.length > SHOWN_ELEMENTS ? ["..."] : [])].join(", ")}]`;
  }
  switch (value.kind) {
    case "declaration":
      return value.declaration.name.text;
    case "layer":
      return value.word.name;
    case "part":
      return value.from === value.to ? value.from : `${value.from} .. ${value.to}`;
    case "size":
      return formatDim(value.dim);
    default:
      return describeKind(value);
  }
}
