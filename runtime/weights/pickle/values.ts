/** What a pickle holds, as inert records: a global is a name, a call is a note that somebody wanted one. */

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleSpan
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PicklePersistent;

/** Bytes, or a text too long to be a name, left where they are in the file. */
export interface PickleSpan {
  readonly kind: "span";
  readonly start: number;
  readonly length: number;
  /** The bytes are the UTF-8 of a text. */
  readonly text: boolean;
}

export interface PickleSequence {
  readonly kind: "list" | "tuple" | "set";
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: "dict";
  readonly entries: [key: PickleValue, value: PickleValue][];
}

/** `torch._utils._rebuild_tensor_v2` */
export interface PickleGlobal {
  readonly kind: "global";
  readonly module: string;
  readonly name: string;
}

/** A class or function and the arguments that it would be called with; nothing was called. */
export interface PickleCall {
  readonly kind: "call";
  readonly callee: PickleGlobal;
  readonly arguments: readonly PickleValue[];
  /** What was appended, where the object is a list. */
  readonly items: PickleValue[];
  /** What was set, where the object is a dictionary (`OrderedDict()` is a call). */
  readonly entries: [key: PickleValue, value: PickleValue][];
  /** What `__setstate__` would get. */
  state?: PickleValue;
}

/** Something that lies outside of the pickle: torch's storages. */
export interface PicklePersistent {
  readonly kind: "persistent";
  readonly id: PickleValue;
}

export function kindOf(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  return value === null || typeof value !== "object" ? typeof value : value.kind;
}

/** Whether the value is the record of a call of this function or class. */
export function isCallOf(value: PickleValue | undefined, ...names: readonly string[]): value is PickleCall {
  return isCall(value) && names.includes(`${value.callee.module}.${value.callee.name}`);
}

export function isCall(value: PickleValue | undefined): value is PickleCall {
  return kindOf(value) === "call";
}

export function isGlobal(value: PickleValue | undefined): value is PickleGlobal {
  return kindOf(value) === "global";
}

/** Items of a list or tuple. */
export function sequenceItems(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  return kindOf(value) === "list" || kindOf(value) === "tuple" ? (value as PickleSequence).items : undefined;
}

/** Non-negative integers of a list or tuple (also of `torch.Size(...)`). */
export function integers(value: PickleValue | undefined): number[] | undefined {
  const items = isCallOf(value, "torch.Size") ? sequenceItems(value.arguments[0]) : sequenceItems(value);
  return items?.every((item): item is number => Number.isSafeInteger(item)) ? [...items] : undefined;
}

/** The entries of a dictionary of any class, whatever their keys; undefined where the value is none. */
export function entriesOf(value: PickleValue | undefined): PickleDict["entries"] | undefined {
  if (kindOf(value) === "dict") return (value as PickleDict).entries;
  const isDictionary = isCall(value) && (value.entries.length > 0 || isCallOf(value, ...DICTIONARIES));
  return isDictionary ? value.entries : undefined;
}

const DICTIONARIES = ["collections.OrderedDict", "collections.defaultdict", "collections.Counter"];

/** The entries that have a text as key; undefined where the value is no dictionary. */
export function dictionary(value: PickleValue | undefined): ReadonlyMap<string, PickleValue> | undefined {
  const entries = entriesOf(value);
  return entries && new Map(entries.filter((entry): entry is [string, PickleValue] => typeof entry[0] === "string"));
}

/** `torch.nn.modules.linear.Linear` */
export function globalName({ module, name }: PickleGlobal): string {
  return `${module}.${name}`;
}
