/**
 * What a word of the language takes, said once: for every argument its type, bounds, default and a sentence. The
 * elaborator binds what is written by it (elaborate/bind.ts), the runtime checks what a program gives (values.ts), the
 * parser, the formatter, the docs and `resnetc explain` read it.
 *
 *     arguments: { size: size("Height and width of the part in pixels.", { min: 1 }) }
 *
 * A schema is a record in the order in which arguments without a name are taken.
 */
import type * as ir from "../ir/types.js";

/** Limits of a number, or of every number of a list. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** What an argument can be, as data. */
export type ArgumentType =
  | ({ readonly kind: "integer" | "number" | "size" | "channels" | "lists" } & Bounds)
  /** `words` may stand in place of the list. */
  | ({ readonly kind: "numbers"; readonly words?: readonly string[] } & Bounds)
  | ({ readonly kind: "interval"; readonly integer?: boolean } & Bounds)
  | { readonly kind: "choice"; readonly words: readonly string[] }
  | { readonly kind: "form"; readonly forms: Readonly<Record<string, Word>> }
  | { readonly kind: "declaration" | "declarations"; readonly keyword: string }
  | { readonly kind: "boolean" | "text" | "texts" | "paths" | "label" | "tensor" | "tensors" };

/** `default`: it may be left out and has a value then; `optional`: it may be left out and has none. */
export type Presence = "required" | "default" | "optional";

/** One argument. `T` is its value as the compiler and the runtime have it: a `size` is `[height, width]`. */
export interface Argument<T = unknown, P extends Presence = Presence> {
  readonly type: ArgumentType;
  /** A sentence: what it means, with its unit. */
  readonly doc: string;
  readonly presence: P;
  readonly default?: T;
  /** It takes every argument without a name, from its place on. */
  readonly many?: true;
  /** What to write where a list is given in place of one: a sentence's beginning, for messages. */
  readonly ofList?: string;
}

/** Arguments by name, in their order. */
export type Schema<T = unknown> = Readonly<Record<string, Argument<T>>>;

/** A word of the language: what every kind of word has in common. */
export interface Word<N extends string = string, S extends Schema = Schema> {
  readonly name: N;
  /** What it does, in a sentence or two. */
  readonly doc: string;
  /** Where it comes from: a paper, as `arXiv:1708.03888`. */
  readonly source?: string;
  readonly arguments: S;
  /** Braces follow it: with these words in them, or with the layers or settings that stand around it. */
  readonly braces?: "layers" | "settings" | Words;
  /** Arguments of which no two go together. */
  readonly alternatives?: readonly string[];
  /** Arguments of which one at least is needed. */
  readonly needs?: readonly string[];
}

/** Words by name. */
export type Words = Readonly<Record<string, Word>>;

type ValueOf<A> = A extends Argument<infer T, infer P> ? (P extends "optional" ? T | undefined : T) : never;

type RequiredNames<S extends Schema> = {
  [N in keyof S]: S[N] extends Argument<unknown, "required"> ? N : never;
}[keyof S];

/** All arguments with their values, defaults filled in. */
export type Values<S extends Schema> = { readonly [N in keyof S]: ValueOf<S[N]> };

/** Arguments as they are written: what may be left out may be absent. */
export type Given<S extends Schema> = { readonly [N in RequiredNames<S>]: ValueOf<S[N]> } & {
  readonly [N in Exclude<keyof S, RequiredNames<S>>]?: ValueOf<S[N]>;
};

/** `sgd(momentum: 0.9)` as the value of an argument: one of several words, with the values of its own arguments. */
export type Form<W extends Word = Word> =
  W extends Word<infer N, infer S> ? { readonly form: N; readonly values: Values<S> } : never;

/** A tensor of the graph, with how much smaller its map is than the network's input. */
export interface Tensor {
  readonly kind: "tensor";
  readonly value: ir.Value;
  readonly scale: readonly [number, number];
}

/**
 * Whether the word is followed by arguments without parentheses: it says nothing without one, since one has no default.
 * What stands before braces says something by itself, where it needs none.
 */
export function isBare({ arguments: schema, braces }: Word): boolean {
  return Object.values(schema).some(({ presence }) => (braces ? presence === "required" : presence !== "default"));
}

/** Words by name, from what each takes: the name is written once, as the key. */
export function words<const T extends Readonly<Record<string, Omit<Word, "name">>>>(
  table: T,
): { readonly [N in keyof T & string]: T[N] & { readonly name: N } } {
  const named = Object.entries(table).map(([name, word]) => [name, { name, ...word }]);
  return Object.fromEntries(named) as { readonly [N in keyof T & string]: T[N] & { readonly name: N } };
}

/** The values with defaults in place of what was left out. */
export function completed<S extends Schema>(schema: S, given: Given<S>): Values<S> {
  const values: Record<string, unknown> = {};
  for (const [name, argument] of Object.entries(schema)) {
    values[name] = (given as Readonly<Record<string, unknown>>)[name] ?? argument.default;
  }
  return values as Values<S>;
}

// Builders: one a type. Without `default` and `optional` an argument is required.

export interface Options<T> {
  readonly default?: T;
  readonly optional?: true;
  readonly many?: true;
  readonly ofList?: string;
}

export type PresenceIn<O> = O extends { readonly default: unknown }
  ? "default"
  : O extends { readonly optional: true }
    ? "optional"
    : "required";

/** For the builders below, and those of types whose values only the elaborator knows. */
export function argument<T, O extends Options<T>>(
  type: ArgumentType,
  doc: string,
  options: O | undefined,
): Argument<T, PresenceIn<O>> {
  const { default: fallback, optional, many, ofList } = options ?? ({} as O);
  const presence = fallback !== undefined ? "default" : optional ? "optional" : "required";
  return {
    type,
    doc,
    presence: presence as PresenceIn<O>,
    ...(fallback !== undefined && { default: fallback }),
    ...(many && { many }),
    ...(ofList !== undefined && { ofList }),
  };
}

function bounds({ min, max }: Bounds = {}): Bounds {
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

type Size = readonly [height: number, width: number];
type Interval = readonly [low: number, high: number];

/** A whole number. */
export function integer<const O extends Options<number> & Bounds = object>(doc: string, options?: O) {
  return argument<number, O>({ kind: "integer", ...bounds(options) }, doc, options);
}

/** A number. */
export function number<const O extends Options<number> & Bounds = object>(doc: string, options?: O) {
  return argument<number, O>({ kind: "number", ...bounds(options) }, doc, options);
}

/** `3x3`, or one whole number for both. */
export function size<const O extends Options<Size> & Bounds = object>(doc: string, options?: O) {
  return argument<Size, O>({ kind: "size", ...bounds(options) }, doc, options);
}

/** True or false. */
export function boolean<const O extends Options<boolean> = object>(doc: string, options?: O) {
  return argument<boolean, O>({ kind: "boolean" }, doc, options);
}

/** One of these words. */
export function choice<const W extends string, const O extends Options<NoInfer<W>> = object>(
  doc: string,
  words: readonly W[],
  options?: O,
) {
  return argument<W, O>({ kind: "choice", words }, doc, options);
}

/** A string. */
export function text<const O extends Options<string> = object>(doc: string, options?: O) {
  return argument<string, O>({ kind: "text" }, doc, options);
}

/** A string or a list of strings. */
export function texts<const O extends Options<readonly string[]> = object>(doc: string, options?: O) {
  return argument<readonly string[], O>({ kind: "texts" }, doc, options);
}

/** A list of numbers, or a number. */
export function numbers<const O extends Options<readonly number[]> & Bounds = object>(doc: string, options?: O) {
  return argument<readonly number[], O>({ kind: "numbers", ...bounds(options) }, doc, options);
}

/** A list of numbers, or one of these words. */
export function numbersOr<const W extends string, const O extends Options<readonly number[]> & Bounds = object>(
  doc: string,
  words: readonly W[],
  options?: O,
) {
  return argument<W | readonly number[], O>({ kind: "numbers", words, ...bounds(options) }, doc, options);
}

/** A number for each channel: three, or of grey one. */
export function channels<const O extends Options<readonly number[]> & Bounds = object>(doc: string, options?: O) {
  return argument<readonly number[], O>({ kind: "channels", ...bounds(options) }, doc, options);
}

/** The least and the greatest value. */
export function interval<const O extends Options<Interval> & Bounds & { readonly integer?: true } = object>(
  doc: string,
  options?: O,
) {
  const type = { kind: "interval", ...bounds(options), ...(options?.integer && { integer: true }) } as const;
  return argument<Interval, O>(type, doc, options);
}

/** A list of numbers for all maps, or one for each. */
export function lists<const O extends Options<readonly (readonly number[])[]> & Bounds = object>(
  doc: string,
  options?: O,
) {
  return argument<readonly (readonly number[])[], O>({ kind: "lists", ...bounds(options) }, doc, options);
}

/** Paths of stages, blocks and layers: `conv1`, `head.fc`, `"conv4.2"`. */
export function paths<const O extends Options<readonly string[]> = object>(doc: string, options?: O) {
  return argument<readonly string[], O>({ kind: "paths" }, doc, options);
}

/** The label of a tensor, which becomes the name of an output. */
export function label<const O extends Options<readonly ir.NamedValue[]> = object>(doc: string, options?: O) {
  return argument<readonly ir.NamedValue[], O>({ kind: "label" }, doc, options);
}

/** A tensor. */
export function tensor<const O extends Options<Tensor> = object>(doc: string, options?: O) {
  return argument<Tensor, O>({ kind: "tensor" }, doc, options);
}

/** A tensor or a list of tensors. */
export function tensors<const O extends Options<readonly Tensor[]> = object>(doc: string, options?: O) {
  return argument<readonly Tensor[], O>({ kind: "tensors" }, doc, options);
}

/** One of several words that take arguments of their own. */
export function form<
  const F extends Readonly<Record<string, Word>>,
  const O extends Options<Form<F[keyof F]>> = object,
>(doc: string, forms: F, options?: O) {
  return argument<Form<F[keyof F]>, O>({ kind: "form", forms }, doc, options);
}
