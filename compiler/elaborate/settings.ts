/** Declarations whose statements say something rather than add a layer: `preprocess`, `weights`, `dialect`. */
import type { Body, Span, Use } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { completed, type Values, type Word, type Words } from "../words/schema.js";
import { bind, goTogether } from "./bind.js";
import type { Opened } from "./declarations.js";
import { Environment } from "./environment.js";
import { fail, type Site } from "./site.js";
import { walk } from "./statements.js";

/** One statement: the arguments of its word, defaults filled in. */
export interface Setting<W extends Word = Word> {
  readonly values: Values<W["arguments"]>;
  readonly span: Span;
  readonly use: Use;
}

/** The same, by the name of its word. */
export type NamedSetting<T extends Words> = {
  [N in keyof T & string]: Setting<T[N]> & { readonly word: N };
}[keyof T & string];

/** What a declaration says, by its words. */
export interface Settings<T extends Words> {
  readonly inOrder: readonly NamedSetting<T>[];
  /** Every statement of the word, in order. */
  all<N extends keyof T & string>(word: N): readonly Setting<T[N]>[];
  /** The last one, which counts where a word stands several times. */
  last<N extends keyof T & string>(word: N): Setting<T[N]> | undefined;
}

/** A declaration whose body says things rather than adds layers. */
export interface SettingsBody {
  readonly declaration: { readonly keyword: string };
  readonly body: Body;
  readonly environment: Environment;
}

/** Goes through such a body: its uses are handed over, with the names that they see. */
export function readStatements(opened: SettingsBody, site: Site, onUse: (use: Use, site: Site) => void): void {
  walk<Site>(
    opened.body,
    { ...site, environment: opened.environment },
    {
      site: (here) => here,
      inner: (here) => ({ ...here, environment: new Environment(here.environment) }),
      other(statement, here) {
        if (statement.kind === "use") return onUse(statement, here);
        const message = `this does not belong in a ${opened.declaration.keyword} declaration`;
        fail(here, "misplaced-statement", statement.span, message);
      },
    },
  );
}

/** The settings that a declaration such as `preprocess` makes; those with an error, which is reported, are left out. */
export function readSettings<T extends Words>(opened: Opened, words: T, site: Site): Settings<T> {
  const found = new Map<string, Setting[]>();
  const inOrder: (Setting & { readonly word: string })[] = [];
  readStatements(opened, site, (use, here) => {
    const name = use.target.map((part) => part.text).join(".");
    const word = own(words, name);
    if (!word) {
      const { keyword } = opened.declaration;
      const help = (): string => didYouMean(name, Object.keys(words)) ?? `it has ${Object.keys(words).join(", ")}`;
      const message = `\`${name}\` does not belong in a ${keyword} declaration`;
      fail(here, "misplaced-statement", use.span, message, { help });
      return;
    }
    const given = bind(`\`${name}\``, word.arguments, use.arguments, use.span, here);
    if (!given || !goTogether(word, given, use.span, here)) return;
    const setting = { values: completed(word.arguments, given), span: use.span, use };
    inOrder.push({ ...setting, word: name });
    const before = found.get(name);
    if (before) before.push(setting);
    else found.set(name, [setting]);
  });
  const all = <N extends keyof T & string>(word: N) => (found.get(word) ?? []) as readonly Setting<T[N]>[];
  return { inOrder: inOrder, all, last: (word) => all(word).at(-1) };
}
