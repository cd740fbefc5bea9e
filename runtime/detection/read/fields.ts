/** Values of a JSON text, checked one by one: whatever is wrong is told in a line that names the file and the place. */
import { readFile, stat } from "node:fs/promises";
import { DetectionError } from "../records.js";

export type Fields = Readonly<Record<string, unknown>>;

/** Below the length of V8's longest string; COCO's own training annotations are 450 million bytes. */
const MAX_JSON = 500 * 1024 * 1024;

/** @throws {DetectionError} where the file is missing, too large or no JSON */
export async function readJson(file: string): Promise<unknown> {
  const bytes = await readBounded(file, MAX_JSON);
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch (error) {
    const [reason] = (error as Error).message.split("\n", 1);
    throw new DetectionError(`${file}: not JSON: ${lowerFirst(reason!)}`, { cause: error });
  }
}

/** @throws {DetectionError} */
export async function readBounded(file: string, limit: number): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > limit) throw new DetectionError(`${file}: ${size} bytes is more than the ${limit} that are read`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof DetectionError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new DetectionError(`${file}: ${FILE_PROBLEMS[code] ?? `can't be read (${code})`}`, { cause: error });
  }
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder, not a file",
  EACCES: "may not be read",
};

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Somewhere in a file: what goes before a message. */
export class Place {
  readonly #words: string;
  constructor(words: string) {
    this.#words = words;
  }

  fail(message: string): never {
    throw new DetectionError(`${this.#words}: ${message}`);
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

  /** 0, 1, true, false, or nothing, which is false. */
  flag(fields: Fields, key: string): boolean {
    const value = fields[key];
    if (value === undefined || value === 0 || value === false) return false;
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

/** A value as it stands in the file, if it is short; a number that is too large for the format is read as Infinity. */
export function shown(value: unknown): string {
  if (value === undefined) return "absent";
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 37)}...`;
}

/** Things of the same kind that were left out: how many, and the first. */
export class Tally {
  count = 0;
  #first = "";

  add(example: () => string): void {
    if (this.count++ === 0) this.#first = example();
  }

  /** @returns one line or none */
  lines(file: string, words: (count: number) => string): string[] {
    return this.count === 0 ? [] : [`${file}: ${words(this.count)} (first: ${this.#first})`];
  }
}

export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
