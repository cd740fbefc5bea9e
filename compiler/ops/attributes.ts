/** Reading a node's attributes, and filling in those that the source left out. */
import type { Attributes, AttributeValue } from "../ir/types.js";
import type { Operator } from "./operator.js";

export type Size2 = readonly [height: number, width: number];

/** `[3, 3]` of a `size2` argument. */
export function size2(attributes: Attributes, name: string): Size2 {
  const value = attributes[name];
  if (Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "number")) {
    return value as unknown as Size2;
  }
  throw missing(name, "two numbers", value);
}

export function int(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value === "number") return value;
  throw missing(name, "a number", value);
}

export function flag(attributes: Attributes, name: string): boolean {
  const value = attributes[name];
  if (typeof value === "boolean") return value;
  throw missing(name, "true or false", value);
}

export function word(attributes: Attributes, name: string): string {
  const value = attributes[name];
  if (typeof value === "string") return value;
  throw missing(name, "a word", value);
}

/** The arguments given, and the defaults of those that were not; computed ones (padding) last. */
export function completeAttributes(operator: Operator, given: Attributes): Attributes {
  // In the order of the signature, which is the one that people read them in.
  const filled: Record<string, AttributeValue> = {};
  for (const [name, argument] of Object.entries(operator.layer?.arguments ?? {})) {
    const value = given[name] ?? (argument.default as AttributeValue | undefined);
    if (value !== undefined) filled[name] = value;
  }
  Object.assign(filled, given);
  return operator.complete?.(filled) ?? filled;
}

/** A mistake of the compiler, not of the source: arguments are checked before they become attributes. */
function missing(name: string, wanted: string, value: AttributeValue | undefined): Error {
  return new TypeError(`attribute ${name} should be ${wanted}, is ${JSON.stringify(value)}`);
}
