/**
 * What the parser is told of the words of the language. Statements need no separator (`conv 1x1, 64   bn   relu`), so it
 * has to know which words are followed by arguments without parentheses and which stand alone. Which words there are,
 * and what they mean, is the compiler's to say: whoever parses or formats hands a vocabulary over.
 */
import type { DeclarationKeyword } from "./ast.js";
import { nearest } from "./nearest.js";
import { own } from "./own.js";
import { DECLARATION_WORDS } from "./tokens.js";

/** A word, as far as text goes. */
export interface WordForm {
  /** Arguments follow without parentheses, one at least: `fc 10`. Else the word stands alone (`relu`) or is called. */
  readonly bare: boolean;
  /** Something that is done to a tensor or an image, or something that is set: for highlighting. */
  readonly kind: "layer" | "setting";
  /** The words that stand in its braces; absent: those that stand around it. */
  readonly inside?: Context;
}

/** The words that may stand in a body, by name. */
export type Context = ReadonlyMap<string, WordForm>;

/** The words of each kind of declaration. */
export type Vocabulary = Readonly<Record<DeclarationKeyword, Context>>;

/** The words of the declaration that a word begins, perhaps misspelt. */
export function contextOf(vocabulary: Vocabulary, keyword: string): Context {
  const meant = own(vocabulary, keyword) ? keyword : nearest(keyword, DECLARATION_WORDS);
  return (meant === undefined ? undefined : own(vocabulary, meant)) ?? vocabulary.block;
}

/** Whether the word is followed by arguments without parentheses. A word that is not there is called: `basic(64)`. */
export function takesBareArguments(context: Context, name: string): boolean {
  return context.get(name)?.bare === true;
}
