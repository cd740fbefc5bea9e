/** Which values an argument takes: the one rule for what is written in the language and for what a program gives. */
import type { Argument, Bounds, ArgumentType } from "./schema.js";

/** Types whose values are plain data, the same in the language and in a program. */
const PLAIN: Readonly<Record<string, (value: unknown, type: ArgumentType) => boolean>> = {
  integer: Number.isInteger,
  number: Number.isFinite,
  size: (value) => isList(value, Number.isInteger) && value.length === 2,
  boolean: (value) => typeof value === "boolean",
  text: isText,
  texts: (value) => isList(value, isText),
  paths: (value) => isList(value, isText),
  numbers: (value, type) => isList(value, Number.isFinite) || wordsOf(type).includes(value as string),
  channels: (value) => isList(value, Number.isFinite) && (value.length === 3 || value.length === 1),
  interval: (value, type) =>
    isList(value, "integer" in type && type.integer ? Number.isInteger : Number.isFinite) &&
    value.length === 2 &&
    (value[0] as number) <= (value[1] as number),
  lists: (value) => isList(value, (item) => isList(item, Number.isFinite)),
  choice: (value, type) => wordsOf(type).includes(value as string),
};

/** Words that stand for themselves: all of a `choice`, and those that may stand in place of a list. */
export function wordsOf(type: ArgumentType): readonly string[] {
  return type.kind === "choice" || type.kind === "numbers" ? (type.words ?? []) : [];
}

/** Whether a value is of the type, bounds aside. */
export function isOf(type: ArgumentType, value: unknown): boolean {
  return PLAIN[type.kind]?.(value, type) ?? false;
}

/** Limits of the numbers of a type. Beyond 2^53 whole numbers are rounded to others. */
export function boundsOf(type: ArgumentType): Required<Bounds> {
  const { min = -Infinity, max } = type as Bounds;
  const whole = type.kind === "integer" || type.kind === "size";
  return { min, max: max ?? (whole ? Number.MAX_SAFE_INTEGER : Infinity) };
}

/** The first number of a value that is outside of the type's bounds, and what it must be: "at least 1". */
export function outside(
  type: ArgumentType,
  value: unknown,
): { readonly found: number; readonly limit: string } | undefined {
  const { min, max } = boundsOf(type);
  const numbers = [value].flat(2).filter((item) => typeof item === "number");
  const found = numbers.find((item) => item < min || item > max);
  return found === undefined ? undefined : { found, limit: found < min ? `at least ${min}` : `at most ${max}` };
}

/** Whether an argument takes this plain value. */
export function accepts({ type }: Argument, value: unknown): boolean {
  return isOf(type, value) && outside(type, value) === undefined;
}

/** The values that an argument takes, to follow "must be" in a message to a program: "an integer from 0 to 4096". */
export function expects({ type }: Argument): string {
  if (type.kind === "choice") return `one of ${type.words.join(", ")}`;
  const { min, max } = type as Bounds;
  const limits = [min !== undefined && ` from ${min}`, max !== undefined && ` to ${max}`].filter(Boolean).join("");
  return `${NOUNS[type.kind]?.(type) ?? type.kind}${limits}`;
}

const NOUNS: Readonly<Record<string, (type: ArgumentType) => string>> = {
  integer: () => "an integer",
  number: () => "a number",
  size: () => "[height, width], integers",
  boolean: () => "true or false",
  text: () => "a string",
  texts: () => "a list of strings",
  paths: () => "a list of paths",
  numbers: () => "a list of numbers",
  channels: () => "3 numbers",
  interval: (type) => `[low, high], ${"integer" in type && type.integer ? "integers" : "numbers"}`,
  lists: () => "lists of numbers",
};

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isList(value: unknown, is: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(is);
}
