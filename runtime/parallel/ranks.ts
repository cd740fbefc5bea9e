/**
 * Processes that work on one thing together, each with a number, its rank. What they do together (a collective) all of them do, in
 * the same order; it is over when all have come to it.
 */

/** Numbers that ranks can combine, element by element. */
export type Combined = Float32Array | Float64Array;
/** How they are combined. */
export type Operation = "sum" | "max" | "min";

/** What collectives took so far. */
export interface Traffic {
  /** Milliseconds in which this rank had nothing to do until the others came. */
  waited: number;
  /** Milliseconds in which numbers were on their way. */
  moved: number;
  /** Bytes that this rank gave to collectives. */
  bytes: number;
}

/** One process of several, and what it can do together with the others. */
export interface Ranks {
  /** From 0, of `size`. */
  readonly rank: number;
  readonly size: number;
  /** Of each rank: the name of its machine. */
  readonly hosts: readonly string[];
  /** What connects them, for people: `Open MPI v4.1.4`. */
  readonly engine: string;
  readonly traffic: Readonly<Traffic>;
  /** Combines the arrays of all ranks, which are of one length; each gets the result in place. */
  allreduce(values: Combined, operation: Operation): Promise<void>;
  /** Each rank gives every rank an array, and gets one of each. Those that go to one rank are of one length, whoever gives them. */
  exchange(parts: readonly Uint8Array[]): Promise<Uint8Array[]>;
  /** Every rank's bytes, in the order of ranks; they may be of different lengths. */
  gather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** The first rank's bytes; what the others give is not looked at. */
  broadcast(bytes: Uint8Array | undefined): Promise<Uint8Array>;
  /**
   * Resolves when all have come.
   *
   * @param patient the others may take as long as they need: one of them has much to do alone
   */
  barrier(patient?: boolean): Promise<void>;
  /** Ends the processes of all ranks, this one too. */
  abort(code: number): void;
  /** When all have come to the end: there are no collectives after it, and a process may end. */
  finalize(): Promise<void>;
}

/** Ranks that can't work together; the message is one clear line. */
export class ParallelError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ParallelError";
  }
}

/** How messages name one: `rank 1 on node7`. */
export function rankName({ hosts }: Pick<Ranks, "hosts">, rank: number): string {
  return `rank ${rank} on ${hosts[rank] ?? "an unknown machine"}`;
}

/** The part of so many things in a row that is a rank's: as many as another's, or one more; the first have those. */
export function shareOf(count: number, { rank, size }: Pick<Ranks, "rank" | "size">): Share {
  const [each, more] = [Math.floor(count / size), count % size];
  return { first: rank * each + Math.min(rank, more), count: each + (rank < more ? 1 : 0) };
}

/** Things in a row. */
export interface Share {
  readonly first: number;
  readonly count: number;
}
