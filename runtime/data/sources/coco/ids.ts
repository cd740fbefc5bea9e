/** Ids of COCO's files: numbers, or texts throughout, as pycocotools takes them. */
import type { Place } from "./fields.js";
import { shown } from "../annotated/problems.js";

/**
 * The ids of a list of things. Texts get numbers, from 1 in their sorted order, which is the order in which pycocotools
 * goes through them.
 */
export class Ids {
  /** Only where ids are texts. */
  readonly #numbers: ReadonlyMap<string, number> | undefined;

  /** @param values as they stand in the file; whoever reads the things tells which are neither number nor text */
  constructor(values: readonly unknown[]) {
    const texts = values.filter((value) => typeof value === "string");
    const areTexts = texts.length > 0 && !values.some((value) => typeof value === "number");
    if (areTexts) this.#numbers = new Map([...new Set(texts)].sort(byCodePoint).map((text, i) => [text, i + 1]));
  }

  get areTexts(): boolean {
    return this.#numbers !== undefined;
  }

  /** The number by which a thing goes. @throws {DataError} through `at`, where the value is no id of this list's kind */
  own(value: unknown, key: string, at: Place): number {
    const number = this.of(value, key, at);
    return number ?? at.fail(`"${key}" is not known: ${shown(value)}`);
  }

  /** The same for what refers to a thing. @returns undefined for a text that is nothing's id */
  of(value: unknown, key: string, at: Place): number | undefined {
    if (this.#numbers === undefined) {
      const hint = typeof value === "string" ? ", as others are" : "";
      if (!Number.isSafeInteger(value)) at.fail(`"${key}" must be a whole number${hint}, not ${shown(value)}`);
      return value as number;
    }
    if (typeof value !== "string") return at.fail(`"${key}" must be a text, as the ids are, not ${shown(value)}`);
    return this.#numbers.get(value);
  }
}

/** As Python sorts texts. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
  }
  return a.length - b.length;
}

/** Of a UTF-16 unit: surrogates are of code points beyond all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
