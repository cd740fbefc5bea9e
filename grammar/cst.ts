/** Reading Chevrotain's concrete syntax tree. */
import type { CstElement, CstNode, CstNodeLocation, IToken } from "chevrotain";
import { endOf, startOf } from "./lexer.js";

/** The parts of one node by token name, rule name or label. */
export type Parts = Readonly<Record<string, readonly CstElement[] | undefined>>;

const isNode = (element: CstElement): element is CstNode => "children" in element;

export const tokens = (parts: Parts, key: string): IToken[] =>
  (parts[key] ?? []).filter((element): element is IToken => !isNode(element));
export const nodes = (parts: Parts, key: string): CstNode[] => (parts[key] ?? []).filter(isNode);
export const token = (parts: Parts, key: string): IToken | undefined => tokens(parts, key)[0];
export const node = (parts: Parts, key: string): CstNode | undefined => nodes(parts, key)[0];

export const startOfElement = (element: CstElement): number =>
  isNode(element) ? (element.location?.startOffset ?? 0) : startOf(element);
export const endOfElement = (element: CstElement): number =>
  isNode(element) ? (element.location?.endOffset ?? -1) + 1 : endOf(element);

/** Parts of several kinds in the order in which they are written. */
export function inOrder(parts: Parts, ...keys: readonly string[]): { key: string; element: CstElement }[] {
  return keys
    .flatMap((key) => (parts[key] ?? []).map((element) => ({ key, element })))
    .sort((a, b) => startOfElement(a.element) - startOfElement(b.element));
}

export const asNode = (element: CstElement): CstNode => {
  if (!isNode(element)) throw new Error("a token where a node belongs");
  return element;
};

/** Where a node stands; `end` is exclusive. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export const placeOf = (location: CstNodeLocation | undefined): Place => ({
  start: location?.startOffset ?? 0,
  end: (location?.endOffset ?? -1) + 1,
});
