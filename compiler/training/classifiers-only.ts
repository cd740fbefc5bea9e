/** What a recipe, or options of training graphs, may ask for that means nothing to a detector. */
import type { Recipe } from "../recipe.js";
import type { TrainingOptions } from "./contract.js";

/** Settings of both; a list of class weights is one of either. */
type Asked = Partial<
  Pick<
    Recipe,
    | "labelSmoothing"
    | "classWeights"
    | "mixup"
    | "cutmix"
    | "sampling"
    | "preciseStatistics"
    | "warmUp"
    | "testScales"
    | "validateRaw"
    | "evaluate"
  >
> &
  Pick<TrainingOptions, "softLabels" | "multiLabel">;

const SETTINGS: readonly (readonly [what: string, isAsked: (asked: Asked) => boolean])[] = [
  ["`label_smoothing`", ({ labelSmoothing = 0 }) => labelSmoothing > 0],
  ["`class_weights`", ({ classWeights }) => classWeights !== undefined],
  ["`mixup`", ({ mixup }) => mixup !== undefined],
  ["`cutmix`", ({ cutmix }) => cutmix !== undefined],
  ["mixing of images", ({ softLabels }) => softLabels === true],
  ["any number of labels an image", ({ multiLabel }) => multiLabel === true],
  ["`sampling balanced`", ({ sampling }) => sampling !== undefined],
  ["`precise_statistics`", ({ preciseStatistics = 0 }) => preciseStatistics > 0],
  ["`warm_up` with `until_error`", ({ warmUp }) => warmUp?.kind === "until_error"],
  ["`test_scales`", ({ testScales }) => testScales !== undefined],
  ["`validate raw`", ({ validateRaw }) => validateRaw === true],
  ["`evaluate`", ({ evaluate = [] }) => evaluate.length > 0],
];

/** Why a detector is not trained so, in a line; undefined where nothing is asked that only classifiers have. */
export function onlyForClassifiers(detector: string, asked: Asked): string | undefined {
  const [what] = SETTINGS.find(([, isAsked]) => isAsked(asked)) ?? [];
  return what === undefined ? undefined : `${what} is for classifiers, and ${detector} is a detector`;
}
