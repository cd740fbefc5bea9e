/**
 * The TextMate grammar for highlighting, from the token definitions (tokens.ts) and the words (words.ts), so that it
 * can't drift from the parser. `npm run generate` writes it to editors/vscode/syntaxes/.
 *
 * A TextMate grammar sees one line at a time and has no lookahead over lines; it nests by brackets alone. So scopes
 * follow what a line shows: `name =` is a label, `name:` a named argument, `, /2` a stride.
 */
import { CONTEXTUAL_TOKENS, DECLARATION_WORDS, INFIX_TOKENS, PATTERNS, RESERVED_TOKENS } from "./tokens.js";
import { WORDS, type WordContext } from "./words.js";

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

/** What is done to a tensor or an image, and what is set. */
const wordScope = (context: WordContext): string =>
  context === "layer" || context === "transform" ? "support.function.layer" : "keyword.other.setting";

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

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

function reservedRules(): Rule[] {
  const groups = groupBy(RESERVED_TOKENS.map(textOf), (text) => RESERVED_SCOPES[text] ?? "keyword.other");
  return [...groups].map(([name, words]) => ({ name: scope(name), match: word(words) }));
}

function wordRules(): Rule[] {
  const groups = groupBy([...WORDS], ({ context }) => wordScope(context));
  // Not a member, not a label, not a named argument.
  return [...groups].map(([name, words]) => ({
    name: scope(name),
    match: `(?<![.\\w])${word(words.map((entry) => entry.word))}(?!\\s*(?:=(?!=)|:))`,
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

/** A declaration keyword, and the name that it declares. */
const declarations: Rule = {
  patterns: [
    {
      match: `\\b(${anyOf([...DECLARATION_WORDS])})\\s+(${NAME})`,
      captures: captures("storage.type", "entity.name.type"),
    },
    { match: `\\b(let)\\s+(${NAME})`, captures: captures("storage.type", "variable.other.constant") },
  ],
};

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
      match: `\\b(${keyword("input")})\\s+(${NAME})(?=\\s+[\\d\\[A-Za-z_])`,
      captures: captures("keyword.other.input", "variable.other.tensor"),
    },
    { match: `\\b(let)\\s+(${NAME})`, captures: captures("storage.type", "variable.other.constant") },
    { match: `(${NAME})\\s*(=)(?!=)`, captures: captures("entity.name.label", "keyword.operator.assignment") },
  ],
};

/** The whole grammar, ready for JSON. */
export function textmateGrammar(): TextMateGrammar {
  const expressions = ["comments", "strings", "brackets", "numbers", "words", "reserved", "operators", "names"];
  return {
    name: "resnet",
    scopeName: "source.resnet",
    fileTypes: ["resnet"],
    patterns: ["comments", "imports", "declarations", "bodies", "parameters", "expressions"].map(include),
    repository: {
      comments,
      imports,
      declarations,
      statements,
      strings,
      numbers,
      operators,
      names,
      reserved: { patterns: reservedRules() },
      words: { patterns: wordRules() },
      bodies: bracketed("{", "}", "body", ["comments", "bodies", "statements", "expressions"].map(include)),
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
      expressions: { patterns: expressions.map(include) },
    },
  };
}
