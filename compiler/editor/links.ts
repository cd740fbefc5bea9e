/** What leads somewhere: imports to files, papers to their pages. */
import type { Span } from "../../grammar/ast.js";
import type { Editor } from "./editor.js";

/** Where a piece of a text leads. */
export interface Link {
  readonly span: Span;
  /** A file, or an address. */
  readonly target: { readonly path: string } | { readonly address: string };
}

const ADDRESS = /\barXiv:(\d{4}\.\d{4,5})\b|\bhttps?:\/\/[^\s()<>"'`]+[^\s()<>"'`.,;:!?]/g;

/** The links of a file: its imports, and addresses of papers. */
export function linksIn(editor: Editor, path: string): Link[] {
  const parsed = editor.parsed(path);
  if (!parsed) return [];
  const links: Link[] = [];
  for (const item of parsed.file.imports) {
    const file = editor.importedBy(parsed, item);
    const { span } = item.from;
    // Without the quotes.
    if (file) links.push({ span: { ...span, start: span.start + 1, end: span.end - 1 }, target: { path: file.path } });
  }
  const comments = [
    ...parsed.file.comments.map(({ span }) => span),
    ...parsed.file.declarations.flatMap(({ docSpan }) => docSpan ?? []),
  ];
  for (const { start, end } of comments) {
    for (const { 0: text, 1: paper, index } of parsed.text.slice(start, end).matchAll(ADDRESS)) {
      const span = { file: path, start: start + index, end: start + index + text.length };
      links.push({ span, target: { address: paper === undefined ? text : `https://arxiv.org/abs/${paper}` } });
    }
  }
  return links;
}
