/** Places as the protocol has them, lines and characters of a document with an address, and as the compiler has them. */
import type { Location, Range, TextEdit, WorkspaceEdit } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Edit, Editor } from "../../compiler/editor/index.js";
import type { Span } from "../../grammar/ast.js";

/** The scheme of the standard library's files where they are not files on this machine. */
export const STANDARD_SCHEME = "resnetc-std";

/** Addresses of documents that are no files: `/!memfs!/net.resnet` is `memfs:/net.resnet`. */
const FOREIGN = /^\/!([\w.+-]+)!([^/]*)(\/.*)$/;

/** The path of a document, with `/` between folders: what imports are resolved against. */
export function pathOfUri(uri: string): string {
  const [, scheme = "", authority = "", path = ""] = /^([\w.+-]+):(?:\/\/([^/]*))?(.*)$/.exec(uri) ?? [];
  const decoded = decode(path);
  if (scheme === STANDARD_SCHEME) return decoded.replace(/^\//, "");
  if (scheme !== "file") return `/!${scheme}!${authority}${decoded.startsWith("/") ? "" : "/"}${decoded}`;
  // `/c:/nets/a.resnet` is on a drive.
  return /^\/[A-Za-z]:/.test(decoded) ? decoded.slice(1) : decoded;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a path that is not the standard library's. */
export function uriOfPath(path: string): string {
  const [, scheme, authority = "", rest = ""] = FOREIGN.exec(path) ?? [];
  const encoded = (text: string): string => text.split("/").map(encodeURIComponent).join("/");
  if (scheme !== undefined) return `${scheme}:${authority === "" ? "" : `//${authority}`}${encoded(rest)}`;
  return `file://${path.startsWith("/") ? "" : "/"}${encoded(path)}`;
}

/** Converts places of the files that an editor knows. */
export class Places {
  readonly #editor: Editor;
  readonly #uriOf: (path: string) => string;
  /** Texts with their lines, as they were last. */
  readonly #documents = new Map<string, TextDocument>();

  constructor(editor: Editor, uriOf: (path: string) => string) {
    this.#editor = editor;
    this.#uriOf = uriOf;
  }

  /** The text of a file, with its lines. */
  document(path: string): TextDocument {
    const text = this.#editor.source(path) ?? "";
    const known = this.#documents.get(path);
    if (known?.getText() === text) return known;
    const made = TextDocument.create(path, "resnet", 0, text);
    this.#documents.set(path, made);
    return made;
  }

  forget(path: string): void {
    this.#documents.delete(path);
  }

  range({ file, start, end }: Span): Range {
    const document = this.document(file);
    return { start: document.positionAt(start), end: document.positionAt(end) };
  }

  location(span: Span): Location {
    return { uri: this.#uriOf(span.file), range: this.range(span) };
  }

  textEdit({ span, text }: Edit): TextEdit {
    return { range: this.range(span), newText: text };
  }

  workspaceEdit(edits: readonly Edit[]): WorkspaceEdit {
    const changes: Record<string, TextEdit[]> = {};
    for (const edit of edits) (changes[this.#uriOf(edit.span.file)] ??= []).push(this.textEdit(edit));
    return { changes };
  }
}
