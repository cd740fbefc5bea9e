/** Texts of files that a client has and the server can't read: those of a browser, of a repository that is not cloned. */
import { pathOfUri } from "./places.js";

export class SuppliedFiles {
  readonly #files = new Map<string, string>();

  /** @param given texts by address; `null`: the file is gone */
  supply(given: Readonly<Record<string, string | null>>): void {
    for (const [uri, text] of Object.entries(given)) {
      if (text === null) this.#files.delete(pathOfUri(uri));
      else this.#files.set(pathOfUri(uri), text);
    }
  }

  read(path: string): string | undefined {
    return this.#files.get(path);
  }

  paths(): string[] {
    return [...this.#files.keys()];
  }
}
