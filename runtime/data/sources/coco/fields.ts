/** Values of a JSON text, checked one by one: whatever is wrong is told in a line that names the file and the place. */
import { DataError } from "../../../data-error.js";
import { NOT_A_NUMBER } from "./json.js";
import { shown } from "../annotated/problems.js";

export type Fields = Readonly<Record<string, unknown>>;

/** Somewhere in a file: what goes before a message. */
export class Place {
  readonly #words: string;
  constructor(words: string) {
    this.#words = words;
  }

  fail(message: string): never {
    throw new DataError(`${this.#words}: ${message}`);
  }

  object(value: unknown): Fields {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.fail(`${shown(value)} is no object`);
    return value as Fields;
  }

  list(fields: Fields, key: string): readonly unknown[] {
    const value = fields[key];
    if (!Array.isArray(value)) return this.fail(`"${key}" must be a list, not ${shown(value)}`);
    return value;
  }

  text(fields: Fields, key: string): string {
    const value = fields[key];
    if (typeof value !== "string") return this.fail(`"${key}" must be a text, not ${shown(value)}`);
    return value;
  }

  integer(fields: Fields, key: string): number {
    const value = fields[key];
    if (!Number.isSafeInteger(value)) return this.fail(`"${key}" must be a whole number, not ${shown(value)}`);
    return value as number;
  }

  number(fields: Fields, key: string): number {
    const value = fields[key];
    if (!Number.isFinite(value)) return this.fail(`"${key}" must be a number, not ${shown(value)}`);
    return value as number;
  }

  /** A number, or Python's NaN. */
  numberOrNaN(fields: Fields, key: string): number {
    return fields[key] === NOT_A_NUMBER ? NaN : this.number(fields, key);
  }

  /** 0, 1, true, false, or nothing, which is false. */
  flag(fields: Fields, key: string): boolean {
    const value = fields[key];
    if (isAbsent(value) || value === 0 || value === false) return false;
    if (value === 1 || value === true) return true;
    return this.fail(`"${key}" must be 0 or 1, not ${shown(value)}`);
  }

  /** [x, y, width, height]. */
  box(fields: Fields, key: string): readonly [number, number, number, number] {
    const values = fields[key];
    if (!Array.isArray(values) || values.length !== 4 || !values.every((value) => Number.isFinite(value))) {
      return this.fail(`"${key}" must be four numbers: x, y, width and height, not ${shown(values)}`);
    }
    const [x, y, width, height] = values as [number, number, number, number];
    if (width < 0 || height < 0) this.fail(`"${key}" has a negative size: ${width} x ${height}`);
    return [x, y, width, height];
  }
}

/** Python programs write null for what they don't know. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
