/**
 * The TextMate grammar for highlighting, from the token definitions (tokens.ts) and the words that it is told, so
 * that it can't drift from the parser. `npm run generate` writes it to editors/vscode/syntaxes/.
 *
 * A TextMate grammar sees one line at a time and has no lookahead over lines; it nests by brackets alone. So scopes
 * follow what a line shows: `name =` is a label, `name:` a named argument, `, /2` a stride.
 */
import { CONTEXTUAL_TOKENS, DECLARATION_WORDS, INFIX_TOKENS, Let, PATTERNS, RESERVED_TOKENS } from "./tokens.js";
import type { Context, Vocabulary, WordForm } from "./vocabulary.js";

export interface Rule {
  readonly name?: string;
  readonly contentName?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly include?: string;
  readonly captures?: Captures;
  readonly beginCaptures?: Captures;
  readonly endCaptures?: Captures;
  readonly patterns?: readonly Rule[];
}

type Captures = Readonly<Record<string, { readonly name: string }>>;

export interface TextMateGrammar {
  readonly name: string;
  readonly scopeName: string;
  readonly fileTypes: readonly string[];
  readonly patterns: readonly Rule[];
  readonly repository: Readonly<Record<string, Rule>>;
}

/** The scope of every reserved word; a test holds it against the tokens. */
const RESERVED_SCOPES: Readonly<Record<string, string>> = {
  let: "storage.type",
  assert: "keyword.control.assert",
  if: "keyword.control.conditional",
  then: "keyword.control.conditional",
  else: "keyword.control.conditional",
  for: "keyword.control.loop",
  in: "keyword.control.loop",
  on: "keyword.other",
  x: "keyword.operator.repeat",
  and: "keyword.operator.logical",
  or: "keyword.operator.logical",
  not: "keyword.operator.logical",
  true: "constant.language.boolean",
  false: "constant.language.boolean",
};

const WORD_SCOPES: Readonly<Record<WordForm["kind"], string>> = {
  layer: "support.function.layer",
  setting: "keyword.other.setting",
};

const scope = (name: string): string => `${name}.resnet`;
const captures = (...names: readonly (string | undefined)[]): Captures =>
  Object.fromEntries(names.flatMap((name, i) => (name === undefined ? [] : [[String(i + 1), { name: scope(name) }]])));

const NAME = PATTERNS.name.source;
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** Any of the texts, longer ones first. */
const anyOf = (texts: readonly string[]): string =>
  [...texts]
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .map(escaped)
    .join("|");
const word = (words: readonly string[]): string => `\\b(?:${anyOf(words)})\\b`;
const textOf = (token: { readonly PATTERN?: unknown }): string => String(token.PATTERN);
const include = (name: string): Rule => ({ include: `#${name}` });

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

function reservedRules(): Rule[] {
  const groups = groupBy(RESERVED_TOKENS.map(textOf), (text) => RESERVED_SCOPES[text] ?? "keyword.other");
  const rules = [...groups].map(([name, words]) => ({ name: scope(name), match: word(words) }));
  // Not reserved, but nothing can be called so.
  return [...rules, { name: scope("constant.language"), match: `(?<!\\.)${word(["none"])}` }];
}

/** The words of a body and of the braces in it. */
function wordRules(context: Context): Rule[] {
  const all = [...context].flatMap(([name, form]) => [[name, form] as const, ...(form.inside ?? [])]);
  const groups = groupBy(all, ([, { kind }]) => WORD_SCOPES[kind]);
  // Not a member, not a label, not a named argument.
  return [...groups].map(([name, words]) => ({
    name: scope(name),
    match: `(?<![.\\w])${word([...new Set(words.map(([text]) => text))])}(?!\\s*(?:=(?!=)|:))`,
  }));
}

const contextual = new Set(CONTEXTUAL_TOKENS.map(textOf));
/** A word that means something only where a statement begins; it must be a token. */
const keyword = (text: string): string => {
  if (!contextual.has(text)) throw new Error(`${text} is no token`);
  return text;
};

function bracketed(open: string, close: string, name: string, patterns: readonly Rule[]): Rule {
  const mark = (side: string): Captures => ({ "0": { name: scope(`punctuation.${side}.${name}`) } });
  return {
    begin: escaped(open),
    end: escaped(close),
    beginCaptures: mark("definition.begin"),
    endCaptures: mark("definition.end"),
    patterns,
  };
}

const comments: Rule = {
  patterns: [
    { name: scope("comment.line.documentation"), match: PATTERNS.docComment.source },
    { name: scope("comment.line.double-slash"), match: PATTERNS.comment.source },
  ],
};

const strings: Rule = {
  name: scope("string.quoted.double"),
  begin: '"',
  end: '"|$',
  patterns: [
    { name: scope("constant.character.escape"), match: '\\\\[\\\\"nt]' },
    { name: scope("invalid.illegal.escape"), match: "\\\\." },
    { name: scope("constant.other.placeholder"), match: '\\{[^{}"]*\\}' },
  ],
};

const numbers: Rule = {
  patterns: [
    { name: scope("constant.numeric.dimensions"), match: `\\b${PATTERNS.dimensions.source}` },
    { name: scope("constant.numeric"), match: `\\b${PATTERNS.number.source}` },
  ],
};

const operators: Rule = {
  patterns: [
    // A stride: after a comma or an opening bracket, or with a space before it and none after it.
    { match: "(?<=[,(])\\s*(/)", captures: captures("keyword.operator.stride") },
    { name: scope("keyword.operator.stride"), match: "(?<=\\s)/(?=[\\w(])" },
    { name: scope("keyword.operator"), match: anyOf(INFIX_TOKENS.map(textOf)) },
    { name: scope("keyword.operator.assignment"), match: "=" },
    { name: scope("punctuation.separator"), match: "[,:]" },
    { name: scope("punctuation.accessor"), match: "\\." },
  ],
};

const names: Rule = {
  patterns: [
    { match: `(${NAME})\\s*(:)`, captures: captures("variable.parameter", "punctuation.separator") },
    { name: scope("entity.name.function"), match: `${NAME}(?=\\()` },
    { name: scope("variable.other"), match: NAME },
  ],
};

const constants: Rule = {
  match: `\\b(let)\\s+(${NAME})`,
  captures: captures("storage.type", "variable.other.constant"),
};

/** Declarations with the same words: a keyword and the name that it declares, and what follows up to the next one. */
function declarationRule(keywords: readonly string[], name: string): Rule {
  const next = `${anyOf([...DECLARATION_WORDS, textOf(Let), keyword("import")])}|///`;
  return {
    begin: `\\b(${anyOf(keywords)})\\s+(${NAME})`,
    beginCaptures: captures("storage.type", "entity.name.type"),
    end: `(?<=\\})|^(?=\\s*(?:${next})\\b)`,
    patterns: ["comments", `${name}-body`, "parameters", `${name}-expressions`].map(include),
  };
}

const imports: Rule = {
  begin: `\\b${keyword("import")}\\b(?=\\s*(?:\\{|$))`,
  end: `(?<=")|^(?=\\S)(?!\\}|//|${keyword("from")}\\b)`,
  beginCaptures: { "0": { name: scope("keyword.control.import") } },
  patterns: [
    include("comments"),
    include("strings"),
    { name: scope("keyword.control.import"), match: word([keyword("from"), keyword("as")]) },
    { name: scope("entity.name.type"), match: NAME },
    { name: scope("punctuation.section"), match: "[{}]" },
    include("operators"),
  ],
};

const RESERVED = word(RESERVED_TOKENS.map(textOf));

const statements: Rule = {
  patterns: [
    {
      match: `\\b(${keyword("stage")})\\s+(${NAME})(?=\\s*(?:\\{|/|$))(?:\\s*(/))?`,
      captures: captures("keyword.other.stage", "entity.name.section", "keyword.operator.stride"),
    },
    {
      match: `\\b(${keyword("head")})\\b(?=\\s*(?:\\{|/))(?:\\s*(/))?`,
      captures: captures("keyword.other.stage", "keyword.operator.stride"),
    },
    {
      match: `\\b(${keyword("input")})\\s+(?!${RESERVED})(${NAME})(?=\\s+[\\d\\[A-Za-z_])`,
      captures: captures("keyword.other.input", "variable.other.tensor"),
    },
    { match: `\\b(let)\\s+(${NAME})`, captures: captures("storage.type", "variable.other.constant") },
    { match: `(${NAME})\\s*(=)(?!=)`, captures: captures("entity.name.label", "keyword.operator.assignment") },
  ],
};

const EXPRESSION_PARTS = ["comments", "strings", "brackets", "numbers", "words", "reserved", "operators", "names"];

/** The rules of one context, all called by its name. */
function contextRules(name: string, context: Context): readonly (readonly [string, Rule])[] {
  const parts = EXPRESSION_PARTS.map((part) => (part === "words" ? `${name}-words` : part));
  const body = ["comments", `${name}-body`, "statements", `${name}-expressions`].map(include);
  return [
    [`${name}-words`, { patterns: wordRules(context) }],
    [`${name}-expressions`, { patterns: parts.map(include) }],
    [`${name}-body`, bracketed("{", "}", "body", body)],
  ];
}

/** The whole grammar, ready for JSON. */
export function textmateGrammar(vocabulary: Vocabulary): TextMateGrammar {
  const contexts = [...groupBy(Object.entries(vocabulary), ([, context]) => context)].map(
    ([context, entries]) => [context, entries.map(([keyword]) => keyword)] as const,
  );
  return {
    name: "resnet",
    scopeName: "source.resnet",
    fileTypes: ["resnet"],
    patterns: ["comments", "imports", "declarations", "parameters", "expressions"].map(include),
    repository: {
      comments,
      imports,
      declarations: {
        patterns: [...contexts.map(([, keywords]) => declarationRule(keywords, keywords[0]!)), constants],
      },
      statements,
      strings,
      numbers,
      operators,
      names,
      reserved: { patterns: reservedRules() },
      ...Object.fromEntries(contexts.flatMap(([context, keywords]) => contextRules(keywords[0]!, context))),
      parameters: bracketed("(", ")", "parameters", [
        include("comments"),
        {
          match: `(?<=[(,]|^)\\s*(${NAME})(?=\\s*(?:[,=)]|//|$))(?!\\s*==)`,
          captures: captures("variable.parameter"),
        },
        include("expressions"),
      ]),
      brackets: {
        patterns: [
          bracketed("(", ")", "parentheses", [include("expressions")]),
          bracketed("[", "]", "list", [include("expressions")]),
        ],
      },
      expressions: { patterns: EXPRESSION_PARTS.filter((part) => part !== "words").map(include) },
    },
  };
}
