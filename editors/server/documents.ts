/** The documents that a client has opened, under the paths by which the compiler knows them, and what is wrong in them. */
import type { Connection } from "vscode-languageserver";
import { TextDocuments } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { CancelledError } from "../../compiler/budget.js";
import { Editor, standardSource } from "../../compiler/editor/index.js";
import { diagnosticOf } from "./convert.js";
import { pathOfUri, Places, STANDARD_SCHEME, uriOfPath } from "./places.js";
import type { Platform } from "./platform.js";

export class Documents {
  readonly editor: Editor;
  readonly places: Places;
  readonly open = new TextDocuments(TextDocument);
  virtualStandard = false;
  readonly #platform: Platform;
  readonly #connection: Connection;
  /** Paths of open documents, by their addresses. */
  readonly #paths = new Map<string, string>();
  /** Files of the folders that are open, by path. */
  #listed: readonly string[] = [];
  /** Addresses for which something was published last. */
  #published = new Set<string>();
  #generation = 0;
  #first: string | undefined;
  #running: Promise<void> | undefined;

  constructor(connection: Connection, platform: Platform) {
    this.#connection = connection;
    this.#platform = platform;
    this.editor = new Editor({ read: (path) => platform.read(path), list: () => this.#listed });
    this.places = new Places(this.editor, (path) => this.uriOf(path));
    this.open.onDidChangeContent(({ document }) => this.#change(document));
    this.open.onDidClose(({ document: { uri } }) => this.#close(uri));
    this.open.listen(connection);
  }

  /** The folders that are open: their sources are known to references and imports. */
  async openFolders(uris: readonly string[]): Promise<void> {
    this.#listed = await this.#platform.list(uris.map(pathOfUri));
  }

  /** The path of a document. A file of the standard library, as it was shipped, is that. */
  pathOf(uri: string): string {
    const path = pathOfUri(uri);
    const folder = this.#platform.standardFolder;
    if (folder === undefined || !path.startsWith(`${folder}/`)) return path;
    const standard = `std/${path.slice(folder.length + 1)}`;
    const text = this.open.get(uri)?.getText() ?? this.#platform.read(path);
    return standardSource(standard) === text ? standard : path;
  }

  uriOf(path: string): string {
    for (const [uri, known] of this.#paths) if (known === path) return uri;
    if (standardSource(path) === undefined) return uriOfPath(path);
    const folder = this.#platform.standardFolder;
    return folder === undefined || this.virtualStandard
      ? `${STANDARD_SCHEME}:/${path}`
      : uriOfPath(`${folder}/${path.slice("std/".length)}`);
  }

  #change(document: TextDocument): void {
    const { uri } = document;
    const path = this.pathOf(uri);
    const before = this.#paths.get(uri);
    if (before !== undefined && before !== path) this.editor.close(before);
    this.#paths.set(uri, path);
    this.editor.write(path, document.getText());
    this.check(path);
  }

  #close(uri: string): void {
    const path = this.#paths.get(uri);
    this.#paths.delete(uri);
    if (path === undefined) return;
    this.editor.close(path);
    this.places.forget(path);
    this.check();
  }

  /** Checks what has changed, as soon as nothing else is to be done; a check that is under way begins anew. */
  check(first?: string): void {
    this.#generation++;
    this.#first = first ?? this.#first;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** When everything is checked as it is now. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#platform.pause();
      const mine = this.#generation;
      const isOld = (): boolean => this.#generation !== mine;
      try {
        const steps = this.editor.checking(this.#first, { shouldStop: isOld });
        while (!steps.next().done) {
          await this.#platform.pause();
          if (isOld()) break;
        }
      } catch (error) {
        if (!(error instanceof CancelledError)) this.#connection.console.error(String((error as Error).stack ?? error));
      }
      if (isOld()) continue;
      this.#publish();
      return;
    }
  }

  #publish(): void {
    const published = new Set<string>();
    for (const [path, found] of this.editor.diagnostics()) {
      const uri = this.uriOf(path);
      const version = this.open.get(uri)?.version;
      const diagnostics = found.map((each) => diagnosticOf(each, this.places));
      published.add(uri);
      void this.#connection.sendDiagnostics({ uri, diagnostics, ...(version !== undefined && { version }) });
    }
    for (const uri of this.#published) {
      if (!published.has(uri)) void this.#connection.sendDiagnostics({ uri, diagnostics: [] });
    }
    this.#published = published;
  }
}
