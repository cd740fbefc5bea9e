/** What a transform can be told: each setting says what it means and which values it takes. */
import type { Size } from "../crops.js";

export interface Parameter<T, Optional extends boolean = boolean> {
  /** What it does, with its unit. */
  readonly doc: string;
  /** The values it takes, to follow "must be" in a message. */
  readonly expects: string;
  readonly accepts: (value: unknown) => boolean;
  /** Used where it is left out. */
  readonly default?: T;
  readonly optional: Optional;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

type ValueOf<P> = P extends Parameter<infer T> ? T : never;
type OptionalNames<P extends Parameters> = {
  [N in keyof P]: P[N] extends Parameter<unknown, true> ? N : never;
}[keyof P];

/** All settings with their values. */
export type Values<P extends Parameters> = { readonly [N in keyof P]: ValueOf<P[N]> };

/** Settings as they are written: those that have a default may be left out. */
export type Settings<P extends Parameters> = { readonly [N in Exclude<keyof P, OptionalNames<P>>]: ValueOf<P[N]> } & {
  readonly [N in OptionalNames<P>]?: ValueOf<P[N]>;
};

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A parameter without a default. */
export function required<T>(parameter: Parameter<T, true>): Parameter<T, false> {
  const { doc, expects, accepts } = parameter;
  return { doc, expects, accepts, optional: false };
}

export function integer(doc: string, { min, max }: Bounds, value?: number): Parameter<number, true> {
  const accepts = (x: unknown) => Number.isInteger(x) && within(x, { min, max });
  return { doc, expects: `an integer from ${min} to ${max}`, accepts, default: value, optional: true };
}

export function number(doc: string, { min, max }: Bounds, value?: number): Parameter<number, true> {
  const accepts = (x: unknown) => within(x, { min, max });
  return { doc, expects: `a number from ${min} to ${max}`, accepts, default: value, optional: true };
}

export function choice<const T extends string | number>(doc: string, of: readonly T[], value?: T): Parameter<T, true> {
  const accepts = (x: unknown) => of.includes(x as T);
  return { doc, expects: `one of ${of.join(", ")}`, accepts, default: value, optional: true };
}

/** Height and width in pixels. */
export function size(doc: string, bounds: Bounds, value?: Size): Parameter<Size, true> {
  const accepts = (x: unknown) => isTuple(x, 2) && x.every((side) => Number.isInteger(side) && within(side, bounds));
  const expects = `[height, width], integers from ${bounds.min} to ${bounds.max}`;
  return { doc, expects, accepts, default: value, optional: true };
}

/** The least and the greatest value. */
export function interval(
  doc: string,
  bounds: Bounds & { readonly integer?: boolean },
  value?: readonly [low: number, high: number],
): Parameter<readonly [low: number, high: number], true> {
  const kind = bounds.integer ? "integers" : "numbers";
  const fits = (x: unknown) => within(x, bounds) && (!bounds.integer || Number.isInteger(x));
  const accepts = (x: unknown) => isTuple(x, 2) && x.every(fits) && (x[0] as number) <= (x[1] as number);
  const expects = `[low, high], ${kind} from ${bounds.min} to ${bounds.max}`;
  return { doc, expects, accepts, default: value, optional: true };
}

/** One number a colour channel; of grey, one in all. */
export function channels(doc: string, bounds: Bounds, value?: readonly number[]): Parameter<readonly number[], true> {
  const accepts = (x: unknown) => (isTuple(x, 3) || isTuple(x, 1)) && x.every((each) => within(each, bounds));
  return { doc, expects: `3 numbers from ${bounds.min} to ${bounds.max}`, accepts, default: value, optional: true };
}

function within(x: unknown, { min, max }: Bounds): boolean {
  return typeof x === "number" && x >= min && x <= max;
}

function isTuple(x: unknown, length: number): x is readonly unknown[] {
  return Array.isArray(x) && x.length === length;
}
