/** What is known about a transform, in one record: its settings, what it does to sizes and contents, and how. */
import type { Random } from "../../random.js";
import type { Size } from "../crops.js";
import type { Frame } from "./frame.js";
import type { Content, Raster } from "./raster.js";
import type { Statistics } from "../../data/statistics.js";
import type { Parameters, Settings, Values } from "./parameter.js";

/** A transform as data: its kind and its settings. */
export interface TransformSettings {
  readonly kind: string;
  readonly [setting: string]: unknown;
}

/** A kind of transform, for help and documentation. */
export interface TransformInfo {
  /** As recipes write it: `random_crop`. */
  readonly kind: string;
  /** What it does and where it comes from. */
  readonly doc: string;
  /** Its settings, by name. */
  readonly parameters: Readonly<Record<string, TransformParameter>>;
}

/** A setting of a transform. */
export interface TransformParameter {
  /** What it does, with its unit. */
  readonly doc: string;
  /** The values it takes, to follow "must be" in a message. */
  readonly expects: string;
  /** Whether it takes this value. */
  readonly accepts: (value: unknown) => boolean;
  /** Used where it is left out. */
  readonly default?: unknown;
  /** Whether it may be left out. */
  readonly optional: boolean;
}

interface Common<Name extends string, P extends Parameters> {
  /** As recipes write it. */
  readonly kind: Name;
  /** What it does and where it comes from, for help and documentation. */
  readonly doc: string;
  readonly parameters: P;
  /** A reason why these values don't go together. */
  readonly conflict?: (values: Values<P>) => string | undefined;
  /** What stands in its place where nothing is left to chance; absent: itself. */
  readonly steady?: (values: Values<P>) => readonly TransformSettings[];
  /** Contents that it can work on. */
  readonly takes: readonly Content[];
  /** It has no meaning for grey images. */
  readonly colourOnly?: true;
}

/** Moves pixels: a function on where the image comes from, computed before anything is decoded. */
export interface GeometryTransform<Name extends string = string, P extends Parameters = Parameters> extends Common<
  Name,
  P
> {
  readonly moves: true;
  /** Height and width afterwards where they are known without the image; `undefined` where they depend on it. */
  readonly size: (values: Values<P>, before: Size | undefined) => Size | undefined;
  /** Images that come out of one. Default 1. */
  readonly views?: number;
  /** @throws {ImageError} where the image can't be cut as asked */
  readonly apply: (frame: Frame, values: Values<P>, random: Random) => Frame | readonly Frame[];
}

/** Changes colours: a function on pixels, which it doesn't change in place. */
export interface PixelTransform<Name extends string = string, P extends Parameters = Parameters> extends Common<
  Name,
  P
> {
  readonly moves: false;
  /** What the numbers mean afterwards. */
  readonly gives: Content;
  /** Needs what was measured on the training images. */
  readonly measured?: boolean;
  readonly apply: (raster: Raster, values: Values<P>, context: PixelContext) => Raster;
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
export type SettingsOf<K> = K extends Common<infer Name, infer P> ? { readonly kind: Name } & Settings<P> : never;

/** Keeps the types of name and parameters; the registry holds transforms of all kinds as one type. */
export function geometry<const Name extends string, P extends Parameters>(
  transform: Omit<GeometryTransform<Name, P>, "moves">,
): GeometryTransform<Name, P> {
  return { ...transform, moves: true };
}

export function pixels<const Name extends string, P extends Parameters>(
  transform: Omit<PixelTransform<Name, P>, "moves">,
): PixelTransform<Name, P> {
  return { ...transform, moves: false };
}

/** Geometry that doesn't look at values works on any content. */
export const ANY: readonly Content[] = ["bytes", "colour", "normalized"];

/** Scaling is Pillow's, which is defined on bytes. */
export const BYTES: readonly Content[] = ["bytes"];

/** Colours as they are seen; once a mean was subtracted they mean something else. */
export const COLOURS: readonly Content[] = ["bytes", "colour"];

/** Sides of images. */
export const SIDE = { min: 1, max: 16384 } as const;
