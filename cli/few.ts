/** Warnings of the same kind: the first few in words, then their number. */
import { plural, logWarning } from "./terminal.js";

const NAMED = 5;

export class FewWarnings {
  #count = 0;

  readonly add = (message: string): void => {
    if (this.#count++ < NAMED) logWarning(message);
  };

  /** @param why of the others: `can't be read` */
  end(thing: string, why: string): void {
    if (this.#count > NAMED) logWarning(`${plural(this.#count - NAMED, `more ${thing}`)} ${why}`);
  }
}
