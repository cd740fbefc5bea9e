/** What a file declares, as a tree; what can be folded; what is called so in all files. */
import type { Body, Declaration, Span, Statement } from "../../grammar/ast.js";
import { bodiesOf } from "../../grammar/bodies.js";
import type { Editor } from "./editor.js";
import { headOf } from "./text.js";

/** A declaration, stage or label, with what is inside. */
export interface FileSymbol {
  readonly name: string;
  /** A declaration's keyword, or `stage`, `label`, `input`. */
  readonly kind: Declaration["keyword"] | "stage" | "label" | "input";
  readonly detail: string;
  /** All of it, and its name. */
  readonly span: Span;
  readonly nameSpan: Span;
  readonly children: readonly FileSymbol[];
}

/** The outline: declarations, in them stages and labels. */
export function symbolsOf(editor: Editor, path: string): FileSymbol[] {
  const parsed = editor.parsed(path);
  if (!parsed) return [];
  return parsed.file.declarations
    .filter(({ name }) => name.text !== "")
    .map((declaration) => ({
      name: declaration.name.text,
      kind: declaration.keyword,
      detail: headOf(declaration, parsed.text)
        .slice(declaration.keyword.length + declaration.name.text.length + 1)
        .trim(),
      span: declaration.span,
      nameSpan: declaration.name.span,
      children: declaration.body ? inside(declaration.body) : [],
    }));
}

function inside({ statements }: Body): FileSymbol[] {
  return statements.flatMap((statement) => {
    const children = bodiesOf(statement).flatMap(inside);
    const named = nameOf(statement);
    if (!named || named.identifier.text === "") return children;
    const { identifier, kind } = named;
    return [{ name: identifier.text, kind, detail: "", span: statement.span, nameSpan: identifier.span, children }];
  });
}

function nameOf(
  statement: Statement,
):
  | { readonly identifier: { readonly text: string; readonly span: Span }; readonly kind: FileSymbol["kind"] }
  | undefined {
  if (statement.kind === "stage") return { identifier: statement.name, kind: "stage" };
  if (statement.kind === "input") return { identifier: statement.name, kind: "input" };
  if ((statement.kind === "use" || statement.kind === "for") && statement.label) {
    return { identifier: statement.label, kind: "label" };
  }
  return undefined;
}

/** Declarations of all files whose names have these letters in this order. */
export function symbolsCalled(
  editor: Editor,
  query: string,
): (Omit<FileSymbol, "children"> & { readonly path: string })[] {
  const wanted = query.toLowerCase();
  const fits = (name: string): boolean => {
    let at = 0;
    for (const letter of name.toLowerCase()) if (letter === wanted[at]) at++;
    return at === wanted.length;
  };
  return editor.allFiles().flatMap((path) =>
    symbolsOf(editor, path)
      .filter(({ name }) => fits(name))
      .map(({ name, kind, detail, span, nameSpan }) => ({ path, name, kind, detail, span, nameSpan })),
  );
}

/** Text that can be folded: from the end of the line where it begins to where it ends. */
export interface Fold {
  readonly start: number;
  readonly end: number;
  readonly kind: "body" | "comment" | "imports";
}

/** What of a file can be folded. */
export function foldsOf(editor: Editor, path: string): Fold[] {
  const parsed = editor.parsed(path);
  if (!parsed) return [];
  const { file, text } = parsed;
  const folds: Fold[] = [];
  const add = ({ start, end }: Pick<Span, "start" | "end">, kind: Fold["kind"]): void => {
    if (text.slice(start, end).trim().includes("\n")) folds.push({ start, end, kind });
  };
  const bodies = (body: Body): void => {
    add(body.span, "body");
    for (const statement of body.statements) for (const each of bodiesOf(statement)) bodies(each);
  };
  const [first] = file.imports;
  if (first) add({ start: first.span.start, end: file.imports.at(-1)!.span.end }, "imports");
  for (const { docSpan, body, value } of file.declarations) {
    if (docSpan) add(docSpan, "comment");
    if (body) bodies(body);
    if (value) add(value.span, "body");
  }
  // Comments in lines that follow one another.
  let run: { start: number; end: number } | undefined;
  for (const { span } of file.comments) {
    if (run && /^[ \t]*\r?\n[ \t]*$/.test(text.slice(run.end, span.start))) run.end = span.end;
    else {
      if (run) add(run, "comment");
      run = { start: span.start, end: span.end };
    }
  }
  if (run) add(run, "comment");
  return folds;
}
