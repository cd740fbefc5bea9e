/** The processes that do one thing together, as those see them who need not know how they are connected: a browser has one too. */

export interface Group {
  /** From 0, of `size`. */
  readonly rank: number;
  readonly size: number;
  /** What one process found on the first, known to all; where it fails, all throw the same. */
  onFirst<T>(action: () => T | Promise<T>): Promise<T>;
  /** What each found, in their order; where it fails on some, all throw what the first of them threw. */
  together<T>(action: () => T | Promise<T>): Promise<readonly T[]>;
  /** Whether all throw this error at the same place, so that they may still do something together. */
  isCommon(error: unknown): boolean;
  /** That all throw it, each by itself. */
  common<E extends Error>(error: E): E;
}

/** One process. */
export const ALONE: Group = {
  rank: 0,
  size: 1,
  onFirst: async (action) => action(),
  together: async (action) => [await action()],
  isCommon: () => true,
  common: (error) => error,
};

/** Whether another process tells what all of them found. */
export function isOther({ rank }: Pick<Group, "rank"> = ALONE): boolean {
  return rank > 0;
}
