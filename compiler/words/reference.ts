/** The tables of docs/language.md, from the words' records: `npm run generate` writes them between their marks. */
import { SCHEDULES } from "../elaborate/schedules.js";
import { DETECTION_OPERATORS } from "../ops/detection/index.js";
import { OPTIMIZERS } from "../training/optimizers/index.js";
import { LOSS_OPERATORS } from "../ops/losses/index.js";
import { GROUPS } from "../vocabulary.js";
import { signature } from "./describe.js";
import type { Word, Words } from "./schema.js";

function table(words: Words): string {
  const rows = Object.values<Word>(words).map(
    (word) => `| \`${word.name}\` | ${signature(word)} | ${sentence(word)} |`,
  );
  return ["| word | arguments (with defaults) | what it does |", "| --- | --- | --- |", ...rows].join("\n");
}

function sentence({ doc, source }: Word): string {
  const text = source === undefined ? doc : `${doc} ${source}`;
  return text.replace(/\barXiv:(\d{4}\.\d{5})\b/g, "[arXiv:$1](https://arxiv.org/abs/$1)").replaceAll("|", "\\|");
}

const among = (words: Words, is: (word: Word) => boolean): Words =>
  Object.fromEntries(Object.entries(words).filter(([, word]) => is(word)));

/** docs/detection-operators.md has these. */
const OF_DETECTORS: ReadonlySet<string> = new Set(DETECTION_OPERATORS.map(({ name }) => name));
const LOSSES: ReadonlySet<string> = new Set(LOSS_OPERATORS.map(({ name }) => name));
const isPlain = ({ name, braces }: Word): boolean => !braces && !OF_DETECTORS.has(name) && !LOSSES.has(name);

/** By the name in the mark. */
export const TABLES: Readonly<Record<string, string>> = {
  layers: table(among(GROUPS.layers.words, isPlain)),
  losses: table(among(GROUPS.layers.words, ({ name }) => LOSSES.has(name))),
  dialect: table(GROUPS.dialect.words),
  recipe: table(GROUPS.recipe.words),
  optimizers: table(OPTIMIZERS),
  schedules: table(SCHEDULES),
  transforms: table(GROUPS.transforms.words),
};

/** The page with every table between `<!-- words: NAME -->` and `<!-- end of words -->` as it is now. */
export function withTables(page: string): string {
  return page.replace(
    /(<!-- words: (\w+) -->\n)[^]*?(<!-- end of words -->)/g,
    (_, begin: string, name: string, end: string) => `${begin}\n${TABLES[name] ?? ""}\n\n${end}`,
  );
}
