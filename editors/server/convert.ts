/** What the compiler's services answer, in the protocol's words. */
import {
  CompletionItemKind,
  DiagnosticSeverity,
  DiagnosticTag,
  InsertTextFormat,
  SemanticTokensBuilder,
  SymbolKind,
  type CompletionItem,
  type Diagnostic,
  type DocumentSymbol,
  type SemanticTokens,
} from "vscode-languageserver";
import type { Span } from "../../grammar/ast.js";
import type * as resnetc from "../../compiler/index.js";
import {
  TOKEN_MODIFIERS,
  type FileSymbol,
  type Item,
  type ItemKind,
  type SemanticToken,
} from "../../compiler/editor/index.js";
import type { Places } from "./places.js";

/** Where a code of an error is explained. */
const ERRORS = "https://github.com/resnetc/resnetc/blob/main/docs/errors.md";

export function diagnosticOf(found: resnetc.Diagnostic, places: Places): Diagnostic {
  const { code, severity, message, span, notes, chain, help } = found;
  const related = [
    ...notes.flatMap(({ message: text, span: at }) => (at ? [{ location: places.location(at), message: text }] : [])),
    ...chain.map(({ label, span: at }) => ({ location: places.location(at), message: `in ${label}` })),
  ];
  // What has no place of its own belongs to the message.
  const lines = [message, ...notes.flatMap(({ message: text, span: at }) => (at ? [] : [`note: ${text}`]))];
  if (help !== undefined) lines.push(`help: ${help}`);
  return {
    range: places.range(span),
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    codeDescription: { href: `${ERRORS}#${code}` },
    source: "resnetc",
    message: lines.join("\n"),
    ...(related.length > 0 && { relatedInformation: related }),
    ...(code.startsWith("unused-") && severity === "warning" && { tags: [DiagnosticTag.Unnecessary] }),
  };
}

const COMPLETION_KINDS: Readonly<Record<ItemKind, CompletionItemKind>> = {
  layer: CompletionItemKind.Function,
  setting: CompletionItemKind.Property,
  block: CompletionItemKind.Class,
  shortcut: CompletionItemKind.Class,
  network: CompletionItemKind.Module,
  value: CompletionItemKind.Variable,
  function: CompletionItemKind.Function,
  argument: CompletionItemKind.Field,
  choice: CompletionItemKind.EnumMember,
  label: CompletionItemKind.Variable,
  stage: CompletionItemKind.Module,
  keyword: CompletionItemKind.Keyword,
  file: CompletionItemKind.File,
};

export function itemOf(item: Item, replaced: Span, places: Places, withSnippets: boolean): CompletionItem {
  const { label, kind, detail, documentation, snippet, rank, edits } = item;
  const isSnippet = withSnippets && snippet !== undefined;
  return {
    label,
    kind: COMPLETION_KINDS[kind],
    ...(detail !== "" && { detail }),
    ...(documentation !== undefined && { documentation: { kind: "markdown", value: documentation } }),
    sortText: `${rank} ${label}`,
    textEdit: { range: places.range(replaced), newText: isSnippet ? snippet : plain(item) },
    ...(isSnippet && { insertTextFormat: InsertTextFormat.Snippet }),
    ...(edits && { additionalTextEdits: edits.map((edit) => places.textEdit(edit)) }),
  };
}

/** What is written where nothing can be gone on at: a named argument with its colon, all else alone. */
function plain({ label, kind }: Item): string {
  return kind === "argument" ? `${label}: ` : label;
}

const SYMBOL_KINDS: Readonly<Record<FileSymbol["kind"], SymbolKind>> = {
  block: SymbolKind.Class,
  shortcut: SymbolKind.Class,
  network: SymbolKind.Module,
  detector: SymbolKind.Module,
  dialect: SymbolKind.Struct,
  preprocess: SymbolKind.Struct,
  weights: SymbolKind.Struct,
  recipe: SymbolKind.Struct,
  let: SymbolKind.Constant,
  stage: SymbolKind.Namespace,
  label: SymbolKind.Variable,
  input: SymbolKind.Field,
};

export const symbolKind = (kind: FileSymbol["kind"]): SymbolKind => SYMBOL_KINDS[kind];

export function symbolOf({ name, kind, detail, span, nameSpan, children }: FileSymbol, places: Places): DocumentSymbol {
  return {
    name,
    detail,
    kind: SYMBOL_KINDS[kind],
    range: places.range(span),
    selectionRange: places.range(nameSpan),
    children: children.map((child) => symbolOf(child, places)),
  };
}

/** Types that every theme has a colour for. */
const TYPE_NAMES: Readonly<Record<SemanticToken["type"], string>> = {
  comment: "comment",
  string: "string",
  number: "number",
  keyword: "keyword",
  operator: "operator",
  type: "type",
  function: "function",
  layer: "function",
  setting: "keyword",
  parameter: "parameter",
  variable: "variable",
  label: "variable",
  stage: "namespace",
  property: "property",
  enumMember: "enumMember",
};

export const LEGEND = { tokenTypes: [...new Set(Object.values(TYPE_NAMES))], tokenModifiers: [...TOKEN_MODIFIERS] };

export function encoded(tokens: readonly SemanticToken[], path: string, places: Places): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const document = places.document(path);
  for (const { start, end, type, modifiers } of tokens) {
    const { line, character } = document.positionAt(start);
    const bits = modifiers.reduce((sum, each) => sum | (1 << LEGEND.tokenModifiers.indexOf(each)), 0);
    builder.push(line, character, end - start, LEGEND.tokenTypes.indexOf(TYPE_NAMES[type]), bits);
  }
  return builder.build();
}
