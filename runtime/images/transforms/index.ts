/** All transforms. A new one is a file beside this one and a line here. */
import { centerCrop } from "./center-crop.js";
import { colorJitter } from "./color-jitter.js";
import { colorPca } from "./color-pca.js";
import { flip } from "./flip.js";
import { normalize } from "./normalize.js";
import { pad } from "./pad.js";
import { padTo } from "./pad-to.js";
import { randAugment } from "./rand-augment.js";
import { randomCrop } from "./random-crop.js";
import { randomErasing } from "./random-erasing.js";
import { randomResizeShorter } from "./random-resize-shorter.js";
import { randomResizedCrop } from "./random-resized-crop.js";
import { resize, resizeShorter } from "./resize.js";
import { subtractMean } from "./subtract-mean.js";
import { tenCrop } from "./ten-crop.js";
import { trivialAugment } from "./trivial-augment.js";
import type { SettingsOf, TransformInfo, TransformKind } from "./transform.js";

export type { TransformInfo, TransformSettings } from "./transform.js";

const ALL = [
  pad,
  padTo,
  randomCrop,
  flip,
  centerCrop,
  tenCrop,
  resize,
  resizeShorter,
  randomResizeShorter,
  randomResizedCrop,
  colorPca,
  colorJitter,
  subtractMean,
  normalize,
  randomErasing,
  randAugment,
  trivialAugment,
] as const;

/** A transform as plain data: `{ kind: "pad", margin: 4 }`. What has a default may be left out. */
export type Transform = SettingsOf<(typeof ALL)[number]>;

/** Each kind of transform with what it does, by name. */
export const TRANSFORM_KINDS: ReadonlyMap<string, TransformKind> = new Map(
  ALL.map((transform) => [transform.kind, transform as unknown as TransformKind]),
);

/** What is known about each kind of transform, by the name that recipes give it. */
export const TRANSFORMS: ReadonlyMap<string, TransformInfo> = TRANSFORM_KINDS;
