/** Every word of the language, by the declarations in which it stands. Each is a record where its meaning is. */
import type { DeclarationKeyword } from "../grammar/ast.js";
import type { Context, Vocabulary, WordForm } from "../grammar/vocabulary.js";
import { DIALECT_WORDS } from "./elaborate/dialect.js";
import { LAYER_WORDS } from "./elaborate/layer-words.js";
import { NETWORK_WORDS } from "./elaborate/network-words.js";
import { RECIPE_BODIES, RECIPE_WORDS } from "./elaborate/recipe-words.js";
import { WEIGHTS_WORDS } from "./elaborate/weight-map.js";
import { isBare, type Word, type Words } from "./words/schema.js";
import { PREPROCESS_WORDS, TRANSFORM_WORDS } from "./words/transforms.js";

/** Words that belong together, as a page about them has it. */
export interface WordGroup {
  /** Where they stand, to follow "a word of": "layers", "a recipe". */
  readonly of: string;
  readonly kind: WordForm["kind"];
  readonly words: Words;
}

/** All words; a name may be in several groups. */
export const GROUPS = {
  layers: { of: "layers", kind: "layer", words: LAYER_WORDS },
  network: { of: "a network", kind: "setting", words: NETWORK_WORDS },
  preprocess: { of: "a preprocess declaration", kind: "setting", words: PREPROCESS_WORDS },
  weights: { of: "a weights declaration", kind: "setting", words: WEIGHTS_WORDS },
  dialect: { of: "a dialect", kind: "setting", words: DIALECT_WORDS },
  recipe: { of: "a recipe", kind: "setting", words: { ...RECIPE_WORDS, ...RECIPE_BODIES } },
  transforms: { of: "the transforms of a recipe", kind: "layer", words: TRANSFORM_WORDS },
} as const satisfies Readonly<Record<string, WordGroup>>;

/** A word and where it stands, to follow "a word of": "layers", "`optimizer` in a recipe". */
export interface FoundWord {
  readonly word: Word;
  readonly of: string;
  /** It is an argument, called with its own in parentheses: `sgd(momentum: 0.9)`. */
  readonly isForm?: true;
}

/** All words, and those that stand as an argument of one: `sgd`, `cosine`. */
export function allWords(): readonly FoundWord[] {
  return Object.values<WordGroup>(GROUPS).flatMap(({ of, words }) =>
    Object.values(words).flatMap((word) => [{ word, of }, ...formsOf(word, of)]),
  );
}

function formsOf(word: Word, of: string): readonly FoundWord[] {
  return Object.values(word.arguments).flatMap(({ type }) =>
    type.kind === "form"
      ? Object.values(type.forms).map((each) => ({
          word: each,
          isForm: true as const,
          of: `\`${word.name}\` in ${of}`,
        }))
      : [],
  );
}

/** Settings of a network in a block are misplaced, not unknown. */
const AMONG_LAYERS: readonly WordGroup[] = [GROUPS.layers, GROUPS.network];

/** The groups that stand in each declaration. */
export const GROUPS_OF: Readonly<Record<DeclarationKeyword, readonly WordGroup[]>> = {
  block: AMONG_LAYERS,
  shortcut: AMONG_LAYERS,
  network: AMONG_LAYERS,
  detector: AMONG_LAYERS,
  recipe: [GROUPS.recipe],
  preprocess: [GROUPS.preprocess],
  weights: [GROUPS.weights],
  dialect: [GROUPS.dialect],
};

function contextOf(groups: readonly WordGroup[]): Context {
  return new Map(
    groups.flatMap(({ kind, words }) => Object.values(words).map((word) => [word.name, formOf(word, kind)])),
  );
}

function formOf(word: Word, kind: WordForm["kind"]): WordForm {
  const { braces } = word;
  const inside = typeof braces === "object" && contextOf([{ of: word.name, kind: "layer", words: braces }]);
  return { bare: isBare(word), kind, ...(inside && { inside }) };
}

const contexts = new Map([...new Set(Object.values(GROUPS_OF))].map((groups) => [groups, contextOf(groups)]));

/** What the grammar is told. */
export const VOCABULARY: Vocabulary = Object.fromEntries(
  Object.entries(GROUPS_OF).map(([keyword, groups]) => [keyword, contexts.get(groups)!]),
) as Record<DeclarationKeyword, Context>;
