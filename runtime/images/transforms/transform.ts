/** What is known about a transform, in one record: its settings, what it does to sizes and contents, and how. */
import type { Random } from "../../random.js";
import type { Size } from "../image.js";
import type { Frame } from "./frame.js";
import type { Content, Raster } from "./raster.js";
import type { Statistics } from "../statistics.js";
import type { Given, Schema, Values, Word } from "../../../compiler/words/schema.js";

/** A transform as data: its kind and its settings. */
export interface TransformSettings {
  readonly kind: string;
  readonly [setting: string]: unknown;
}

/** A kind of transform, for help and documentation. */
export interface TransformInfo<N extends string = string, S extends Schema = Schema> {
  /** As recipes write it: `random_crop`. */
  readonly kind: N;
  /** What it does and where it comes from. */
  readonly doc: string;
  /** Its settings, by name. */
  readonly parameters: S;
}

interface Common<Name extends string, S extends Schema> extends TransformInfo<Name, S> {
  /** A reason why these values don't go together. */
  readonly conflict?: (values: Values<S>) => string | undefined;
  /** What stands in its place where nothing is left to chance; absent: itself. */
  readonly deterministic?: (values: Values<S>) => readonly TransformSettings[];
  /** Contents that it can work on. */
  readonly takes: readonly Content[];
  /** It has no meaning for grey images. */
  readonly colourOnly?: true;
}

/** Moves pixels: a function on where the image comes from, computed before anything is decoded. */
export interface GeometryTransform<Name extends string = string, S extends Schema = Schema> extends Common<Name, S> {
  readonly moves: true;
  /** Height and width afterwards where they are known without the image; `undefined` where they depend on it. */
  readonly size: (values: Values<S>, before: Size | undefined) => Size | undefined;
  /** Every size that may come of one, where that is left to chance. */
  readonly sizes?: (values: Values<S>, before: Size) => readonly Size[];
  /** Images that come out of one. Default 1. */
  readonly views?: number;
  /** What the numbers mean afterwards; absent: what they meant before. */
  readonly gives?: (values: Values<S>) => Content;
  /** @throws {ImageError} where the image can't be cut as asked */
  readonly apply: (frame: Frame, values: Values<S>, random: Random) => Frame | readonly Frame[];
}

/** Changes colours: a function on pixels, which it doesn't change in place. */
export interface PixelTransform<Name extends string = string, S extends Schema = Schema> extends Common<Name, S> {
  readonly moves: false;
  /** What the numbers mean afterwards. */
  readonly gives: Content;
  /** It moves pixels as no {@link Frame} does, and boxes can't follow. */
  readonly displaces?: true;
  /** Needs what was measured on the training images. */
  readonly measured?: boolean;
  readonly apply: (raster: Raster, values: Values<S>, context: PixelContext) => Raster;
}

export interface PixelContext {
  readonly random: Random;
  /** 1 of grey images, whose three channels are equal. */
  readonly channels: 1 | 3;
  /** There where the transform is `measured`. */
  readonly statistics?: Statistics;
}

export type TransformKind = GeometryTransform | PixelTransform;

/** The transform as data, as a recipe gives it. */
export type SettingsOf<K> = K extends Common<infer Name, infer S> ? { readonly kind: Name } & Given<S> : never;

type Doing<K> = Omit<K, keyof TransformInfo | "moves">;

const infoOf = <N extends string, S extends Schema>({ name, doc, arguments: parameters }: Word<N, S>) => ({
  kind: name,
  doc,
  parameters,
});

/** A transform of geometry: its word, and how it is done. */
export function geometry<const N extends string, S extends Schema>(
  word: Word<N, S>,
  how: Doing<GeometryTransform<N, S>>,
): GeometryTransform<N, S> {
  return { ...infoOf(word), ...how, moves: true };
}

/** A transform of colours: its word, and how it is done. */
export function pixels<const N extends string, S extends Schema>(
  word: Word<N, S>,
  how: Doing<PixelTransform<N, S>>,
): PixelTransform<N, S> {
  return { ...infoOf(word), ...how, moves: false };
}

/** Geometry that doesn't look at values works on any content. */
export const ANY: readonly Content[] = ["bytes", "colour", "normalized"];

/** Scaling is Pillow's, which is defined on bytes. */
export const BYTES: readonly Content[] = ["bytes"];

/** Colours as they are seen; once a mean was subtracted they mean something else. */
export const COLOURS: readonly Content[] = ["bytes", "colour"];
