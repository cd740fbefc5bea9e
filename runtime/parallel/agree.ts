/** Collectives of values and of failures: what goes wrong on one rank is known to all, which then do the same. */
import { deserialize, serialize } from "node:v8";
import { ALONE, type Group } from "./group.js";
import type { Ranks } from "./ranks.js";

/** What one rank came to. */
type Outcome = { readonly value: unknown } | { readonly failure: Failure };

/** An error as others are told of it. */
interface Failure {
  readonly name: string;
  readonly message: string;
  readonly rank: number;
  /** What else it says in words and numbers: the `code` of the system's. */
  readonly more: Readonly<Record<string, string | number>>;
}

/** Errors that every rank throws at the same place, with the rank on which it went wrong. */
const agreed = new WeakMap<Error, number>();

/** The rank on which an error that all ranks throw went wrong; undefined where the others do not know of it. */
export function failedOn(error: unknown): number | undefined {
  return error instanceof Error ? agreed.get(error) : undefined;
}

/** That all ranks throw it at the same place, each by itself. */
export function everywhere<E extends Error>(error: E): E {
  agreed.set(error, 0);
  return error;
}

/**
 * Does something on every rank and gives what each came to, in the order of ranks. Values are copied as structured clones.
 * Where it fails on some, all throw what the first of them threw.
 */
export async function together<T>(ranks: Ranks, action: () => T | Promise<T>): Promise<T[]> {
  if (ranks.size === 1) return [await action()];
  const [outcome, error] = await outcomeOf(ranks, action);
  const all = (await ranks.gather(serialize(outcome))).map((bytes) => deserialize(bytes) as Outcome);
  const failed = all.find((each) => "failure" in each);
  if (failed && "failure" in failed) throw known(ranks, failed.failure, error);
  return all.map((each) => (each as { readonly value: T }).value);
}

/** Does something on the first rank alone and gives what came of it to all; where it fails, all throw the same. */
export async function onFirst<T>(ranks: Ranks, action: () => T | Promise<T>, patient = false): Promise<T> {
  if (ranks.size === 1) return action();
  const [outcome, error] = ranks.rank === 0 ? await outcomeOf(ranks, action) : [];
  if (patient) await ranks.barrier(true);
  const found = deserialize(await ranks.broadcast(outcome && serialize(outcome))) as Outcome;
  if ("failure" in found) throw known(ranks, found.failure, error);
  return found.value as T;
}

async function outcomeOf(ranks: Ranks, action: () => unknown): Promise<[outcome: Outcome, error?: unknown]> {
  try {
    return [{ value: await action() }];
  } catch (error) {
    const { name, message, ...others } = error instanceof Error ? error : new Error(String(error));
    const isPlain = (value: unknown): boolean => typeof value === "string" || typeof value === "number";
    const more = Object.fromEntries(Object.entries(others).filter(([, value]) => isPlain(value)));
    return [{ failure: { name, message, rank: ranks.rank, more: more as Failure["more"] } }, error];
  }
}

function known({ rank: own }: Ranks, { name, message, rank, more }: Failure, error: unknown): Error {
  const thrown = rank === own && error instanceof Error ? error : Object.assign(new Error(message), more, { name });
  agreed.set(thrown, rank);
  return thrown;
}

/** Ranks as a group. */
export function groupOf(ranks: Ranks): Group {
  if (ranks.size === 1) return ALONE;
  return {
    rank: ranks.rank,
    size: ranks.size,
    onFirst: (action) => onFirst(ranks, action),
    together: (action) => together(ranks, action),
    isCommon: (error) => failedOn(error) !== undefined,
    common: everywhere,
  };
}
