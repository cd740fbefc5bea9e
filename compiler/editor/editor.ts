/**
 * What an editor asks about sources: functions from a program and a place to answers. It runs in Node and in a browser;
 * places are offsets in UTF-16 code units, and what a protocol makes of them is its own (editors/server/).
 *
 * An {@link Editor} holds the files that are open. {@link Editor.checking} finds out what is wrong in them and what their
 * networks are made of; hovers, hints and lenses tell of what was found last.
 */
import type { Import, Span } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import type { Cancellation } from "../budget.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { UnreadableFile, type Host } from "../host.js";
import { resolveImport } from "../program.js";
import { STANDARD_FILES } from "../std/files.generated.js";
import { movedSpan } from "../workspace/depends.js";
import type { Parsed } from "../workspace/parses.js";
import { Workspace, type Checked, type Outcome } from "../workspace/workspace.js";

/** Where an editor's files come from. */
export interface EditorHost extends Host {
  /** Paths of all sources of the folders that are open; for references, symbols and imports. */
  list?(): readonly string[];
}

interface OpenFile {
  text: string;
  checked: Checked | undefined;
}

/** A network that was elaborated, and how its places come to those of the texts as they are now. */
export interface Elaborated extends Outcome {
  /** A place of a text as it is now, in the text that was elaborated. */
  then(span: Span): Span;
  /** And the way back. */
  now(span: Span): Span;
}

/** Whether a path is one of the standard library: `std/blocks.resnet`. */
export const isStandard = (path: string): boolean => own(STANDARD_FILES, path) !== undefined;

/**
 * The files that are open, and what was found in them. Write texts into it, {@link Editor.check} them, and ask: all functions of
 * this module take it.
 */
export class Editor {
  readonly #host: EditorHost;
  readonly #workspace: Workspace;
  readonly #open = new Map<string, OpenFile>();

  constructor(host: EditorHost) {
    this.#host = host;
    this.#workspace = new Workspace({ read: (path) => this.source(path) }, { trace: true });
  }

  /** The text of a file as the editor has it, opened or changed. */
  write(path: string, text: string): void {
    const file = this.#open.get(path);
    if (file) file.text = text;
    else this.#open.set(path, { text, checked: undefined });
  }

  /** The file is no longer open: what is on disk holds again. */
  close(path: string): void {
    this.#open.delete(path);
    this.#workspace.forget(path);
  }

  /** Paths of the files that are open. */
  get openFiles(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** Paths of all files that are known: open ones and those of the host. */
  allFiles(): readonly string[] {
    return [...new Set([...this.#open.keys(), ...(this.#host.list?.() ?? [])])];
  }

  /** The text of a file; undefined where there is none, or none that can be read. */
  source(path: string): string | undefined {
    const open = this.#open.get(path);
    if (open) return open.text;
    if (isStandard(path)) return STANDARD_FILES[path];
    try {
      return this.#host.read(path);
    } catch (error) {
      if (error instanceof UnreadableFile) return undefined;
      throw error;
    }
  }

  /**
   * The file, parsed.
   *
   * @internal
   */
  parsed(path: string): Parsed | undefined {
    const text = this.source(path);
    return text === undefined ? undefined : this.#workspace.parse(path, text);
  }

  /**
   * The file that an import names.
   *
   * @internal
   */
  importedBy(parsed: Parsed, item: Import): Parsed | undefined {
    const path = resolveImport(parsed.path, item.from.value);
    return path === undefined ? undefined : this.parsed(path);
  }

  /** Open files that were not checked as they are now, with all that they import. */
  stale(): string[] {
    return this.openFiles.filter((path) => !this.#isFresh(path));
  }

  #isFresh(path: string): boolean {
    const checked = this.#open.get(path)?.checked;
    if (!checked) return false;
    // A file that was missing may be there now.
    if (checked.findings.diagnostics.some(({ code }) => code === "import-not-found")) return false;
    return [...checked.files].every(([file, { text }]) => this.source(file) === text);
  }

  /**
   * Checks the open files that are not as they were, the first of these first, in pieces: between two of them whoever asks
   * may do something else, and begin anew when a file has changed.
   *
   * @throws CancelledError
   */
  *checking(first?: string, cancellation: Cancellation = {}): Generator<void, void> {
    const paths = this.stale().sort((a, b) => Number(b === first) - Number(a === first));
    for (const path of paths) {
      const file = this.#open.get(path);
      if (!file) continue;
      const { text } = file;
      const checked = yield* this.#workspace.checking([{ path, text }], cancellation);
      if (this.#open.get(path) === file && file.text === text) file.checked = checked;
    }
  }

  /** All of that at once. */
  check(): void {
    const steps = this.checking();
    while (!steps.next().done);
  }

  /** The errors that these files would have with other texts in place of some, all others as they are. */
  errorsOf(paths: readonly string[], texts: ReadonlyMap<string, string>): readonly Diagnostic[] {
    const read = (path: string): string | undefined => texts.get(path) ?? this.source(path);
    const files = paths.flatMap((path) => ({ path, text: read(path) ?? "" }));
    const { diagnostics } = new Workspace({ read }).check(files).findings;
    return diagnostics.filter(({ severity, code }) => severity === "error" || code === "shadowed-name");
  }

  /** What was found in the open files and those that they import, by file; every open file is there. */
  diagnostics(): ReadonlyMap<string, readonly Diagnostic[]> {
    const found = new Map<string, Map<string, Diagnostic>>(this.openFiles.map((path) => [path, new Map()]));
    for (const { checked } of this.#open.values()) {
      for (const diagnostic of checked?.findings.diagnostics ?? []) {
        const { code, span, message } = diagnostic;
        const ofFile = found.get(span.file) ?? new Map<string, Diagnostic>();
        found.set(span.file, ofFile);
        const key = `${code} ${span.start} ${span.end} ${message}`;
        if (!ofFile.has(key)) ofFile.set(key, diagnostic);
      }
    }
    return new Map([...found].map(([path, ofFile]) => [path, [...ofFile.values()]]));
  }

  /**
   * The networks of the open files, as far as they could be built: those of this file first.
   *
   * @internal
   */
  elaborated(first: string): Elaborated[] {
    const all = [...this.#open]
      .sort(([a], [b]) => Number(b === first) - Number(a === first))
      .flatMap(([, { checked }]) => checked?.outcomes ?? []);
    return all.map((outcome) => ({
      ...outcome,
      then: (span) => movedSpan(span, this.parsed(span.file), outcome.files.get(span.file)),
      now: (span) => movedSpan(span, outcome.files.get(span.file), this.parsed(span.file)),
    }));
  }
}
