/**
 * A virtual machine for pickles that executes nothing: calls and classes become records ({@link PickleCall}).
 *
 * A pickle is a program, and the file may be hostile, so every resource has a bound: operations, text, the size of each
 * field (by the bytes that are left). Values that are referred to many times are shared, never copied, so a
 * "billion laughs" file stays as small in memory as it is on disk. Nesting costs no JavaScript stack.
 */
import type { ByteCursor } from "../input-file.js";
import type { WeightsError } from "../source.js";
import {
  isGlobal,
  kindOf,
  type PickleCall,
  type PickleDict,
  type PickleGlobal,
  type PickleSequence,
  type PickleValue,
} from "./values.js";

/** Bytes of names and other short texts that become strings. */
const MOST_TEXT = 16 << 20;
/** A longer text or byte string stays in the file. */
const LONGEST_TEXT = 1024;

/** Who is told of what is met while a pickle is read. */
export interface PickleObserver {
  /** Something lies outside of the pickle. */
  persistent?(id: PickleValue): void;
  /** A function or a class is asked for. */
  named?(global: PickleGlobal): void;
}

/** Stands for a function that another call would give: a method of an object, say. */
const COMPUTED: PickleGlobal = { kind: "global", module: "", name: "" };

/** The state that operations work on. */
export class Machine {
  readonly cursor: ByteCursor;
  readonly #observer: PickleObserver;
  stopped = false;
  #stack: PickleValue[] = [];
  /** Stacks below a mark. */
  #below: PickleValue[][] = [];
  #memo = new Map<number, PickleValue>();
  #text = 0;

  constructor(cursor: ByteCursor, observer: PickleObserver) {
    this.cursor = cursor;
    this.#observer = observer;
  }

  damaged(what: string): WeightsError {
    return this.cursor.file.error(`is damaged or not a weight file: ${what}`);
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw this.damaged("the pickle takes a value where there is none");
    return value;
  }

  top(): PickleValue {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** All values since the last mark. */
  popMark(): PickleValue[] {
    const values = this.#stack;
    const below = this.#below.pop();
    if (!below) throw this.damaged("the pickle goes back to a mark that it did not set");
    this.#stack = below;
    return values;
  }

  /** Drops the top value, or the mark where nothing was pushed since. */
  drop(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.popMark();
  }

  remember(key = this.#memo.size): void {
    this.#memo.set(key, this.top());
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.damaged(`the pickle recalls value ${key}, which it did not store`);
    this.push(value);
  }

  /** The next bytes as a string where they are few, else as a span; `latin1` is Python 2's way to write both. */
  text(length: number, encoding: "utf8" | "latin1"): void {
    const start = this.cursor.position;
    if (length > LONGEST_TEXT) {
      this.cursor.skip(length);
      this.push({ kind: "span", start, length, text: encoding === "utf8" });
      return;
    }
    this.#text += length;
    if (this.#text > MOST_TEXT) throw this.damaged(`a pickle with more than ${MOST_TEXT} bytes of text`);
    this.push(Buffer.from(this.cursor.bytes(length)).toString(encoding));
  }

  /** The next bytes, left in the file. */
  span(length: number): void {
    this.push({ kind: "span", start: this.cursor.skip(length), length, text: false });
  }

  /** Text up to the next newline. */
  line(): string {
    let line = "";
    for (let byte = this.cursor.u8(); byte !== 10; byte = this.cursor.u8()) {
      if (line.length === LONGEST_TEXT) throw this.damaged("a name without an end");
      line += String.fromCharCode(byte);
    }
    return line;
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== "string" || typeof name !== "string") throw this.damaged("a class without a name");
    const global: PickleGlobal = { kind: "global", module, name };
    this.#observer.named?.(global);
    this.push(global);
  }

  call(callee: PickleValue, values: PickleValue): void {
    if (kindOf(values) !== "tuple") throw this.damaged("a call without a tuple of arguments");
    const global = isGlobal(callee) ? callee : COMPUTED;
    this.push({ kind: "call", callee: global, arguments: (values as PickleSequence).items, items: [], entries: [] });
  }

  persistent(id: PickleValue): void {
    this.#observer.persistent?.(id);
    this.push({ kind: "persistent", id });
  }

  append(values: readonly PickleValue[]): void {
    const target = this.top();
    if (!["list", "set", "call"].includes(kindOf(target))) throw this.damaged(`items appended to a ${kindOf(target)}`);
    const items = (target as PickleSequence | PickleCall).items;
    for (const value of values) items.push(value);
  }

  set(keysAndValues: readonly PickleValue[]): void {
    const target = this.top();
    if (!["dict", "call"].includes(kindOf(target))) throw this.damaged(`entries set in a ${kindOf(target)}`);
    if (keysAndValues.length % 2 !== 0) throw this.damaged("a key without a value");
    const { entries } = target as PickleDict | PickleCall;
    for (let i = 0; i < keysAndValues.length; i += 2) {
      entries.push([keysAndValues[i] ?? null, keysAndValues[i + 1] ?? null]);
    }
  }

  /** `__setstate__` of the value below the top. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (kindOf(target) === "call") (target as PickleCall).state = state;
  }
}
