/** Arguments that are declarations: `preprocess imagenet`, `weights torchvision, caffe`. */
import { argument, type Options } from "../words/schema.js";
import type { DeclarationValue } from "./values.js";

type Keyword = "shortcut" | "preprocess" | "weights" | "dialect";

/** A declaration of this kind. */
export function declaration<const O extends Options<DeclarationValue> = object>(
  doc: string,
  keyword: Keyword,
  options?: O,
) {
  return argument<DeclarationValue, O>({ kind: "declaration", keyword }, doc, options);
}

/** A declaration of this kind or a list of them. */
export function declarations<const O extends Options<readonly DeclarationValue[]> = object>(
  doc: string,
  keyword: Keyword,
  options?: O,
) {
  return argument<readonly DeclarationValue[], O>({ kind: "declarations", keyword }, doc, options);
}
