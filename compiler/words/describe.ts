/** What is said of words and their arguments: in errors, by `resnetc explain`, in the reference's tables. */
import type { Argument, ArgumentType, Bounds, Word } from "./schema.js";
import { wordsOf } from "./values.js";

/** What the language takes for a type, to follow "must be": "a whole number". */
export function wanted(type: ArgumentType): string {
  switch (type.kind) {
    case "choice":
      return alternatives(type.words);
    case "form":
      return alternatives(Object.keys(type.forms));
    case "declaration":
      return type.keyword === "preprocess" ? "a preprocess declaration" : `a ${type.keyword}`;
    case "declarations":
      return `a ${type.keyword} declaration`;
    default:
      return WANTED[type.kind];
  }
}

const WANTED = {
  integer: "a whole number",
  number: "a number",
  size: "a whole number or a size such as `3x3`",
  boolean: "true or false",
  text: "a string",
  texts: "a string or a list of strings",
  paths: "the names of stages",
  numbers: "a list of numbers",
  channels: "a number, or a list of three (of grey, of one)",
  interval: "a list of two numbers, the smaller first",
  lists: "a list of numbers, or one for each map",
  label: "the label of a tensor",
  tensor: "a tensor",
  tensors: "a tensor or a list of tensors",
} as const;

const alternatives = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(" or ");

/** What an argument takes, with its bounds: "a whole number, at least 1". */
export function takes({ type, many }: Argument): string {
  const { min, max } = type as Bounds;
  const limits =
    min !== undefined && max !== undefined
      ? `, from ${shortNumber(min)} to ${shortNumber(max)}`
      : [min !== undefined && `, at least ${shortNumber(min)}`, max !== undefined && `, at most ${shortNumber(max)}`]
          .filter(Boolean)
          .join("");
  const words = type.kind === "choice" ? [] : wordsOf(type);
  const others = words.length > 0 ? `, or ${alternatives(words)}` : "";
  return wanted(type) + limits + others + (many ? "; any number of them" : "");
}

/** A value as the language writes it: `3x3`, `[0, 0, 0]`, `1e-5`. */
export function written({ type }: Argument, value: unknown): string {
  if (type.kind === "size") {
    const [height, width] = value as readonly [number, number];
    return height === width ? String(height) : `${height}x${width}`;
  }
  if (type.kind === "text") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => written({ ...PLAIN, type }, item)).join(", ")}]`;
  return typeof value === "number" ? shortNumber(value) : String(value);
}

const PLAIN = { doc: "", presence: "required" } as const;

/** `1e-5`, and not 0.00001. */
function shortNumber(value: number): string {
  const plain = String(Number(value.toPrecision(6)));
  const short = value.toExponential().replace("e+", "e");
  return value !== 0 && (Math.abs(value) < 1e-3 || plain.length > short.length + 3) ? short : plain;
}

/** "kernel, channels, stride = 1, pad": what can be left out has its default, where it has one. */
export function signature(word: Word): string {
  return argumentLabels(word).join(", ");
}

/** Each of these. */
export function argumentLabels(word: Word): string[] {
  return Object.entries(word.arguments).map(([name, argument]) =>
    argument.default === undefined ? name : `${name} = ${written(argument, argument.default)}`,
  );
}
