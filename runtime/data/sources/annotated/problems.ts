/** What is wrong or odd in a file of annotations: counted over the whole of it, with the first few in words. */
import { DataError } from "../../../data-error.js";

/** Problems that are named; the rest is counted. */
const NAMED = 3;
/** Characters of a name or a value that are shown. */
const SHOWN = 40;

/** Errors that are gathered, so that all are known after one run. */
export class Problems {
  readonly #place: string;
  readonly #first: string[] = [];
  #count = 0;

  /** @param place the file or folder, for messages */
  constructor(place: string) {
    this.#place = place;
  }

  /** @returns undefined where reading threw a DataError, which is noted */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.#add(error.message);
      return undefined;
    }
  }

  /** @throws {DataError} one line: the only problem, or how many there are and the first of them */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const [first] = this.#first;
    if (this.#count === 1) throw new DataError(this.#isNamed(first!) ? first! : `${this.#place}: ${first!}`);
    const prefix = `${this.#place}: `;
    const named = this.#first.map((line) =>
      this.#isNamed(line) ? line.slice(this.#place.length).replace(/^(: |[/\\])/, "") : line,
    );
    const more = this.#count > named.length ? `; and ${this.#count - named.length} more` : "";
    throw new DataError(`${prefix}${this.#count} problems: ${named.join("; ")}${more}`);
  }

  #add(message: string): void {
    this.#count++;
    if (this.#first.length < NAMED) this.#first.push(message);
  }

  /** Whether a line already says where it is: in the file, or in a file of the folder. */
  #isNamed(line: string): boolean {
    return line.startsWith(this.#place);
  }
}

/** Things of the same kind that were left out or taken otherwise: how many, and the first. */
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

/** A value as it stands in the file, if it is short; numbers that JSON has no word for by the words that Python writes. */
export function shown(value: unknown): string {
  if (value === undefined) return "absent";
  if (typeof value === "string" && !value.startsWith("\ufffe")) return JSON.stringify(shortened(value));
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === "number" && !Number.isFinite(part) ? `\ufffe${part}` : part,
  );
  return shortened(text.replaceAll(/"\ufffe(NaN|-?Infinity)"/g, "$1"));
}

/** A name in a message: names of annotations may have any length. */
export function shortened(text: string, most = SHOWN): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}
