/** What a training knows of the ranks that it runs on. */
import { groupOf, onFirst } from "../../parallel/agree.js";
import { ownCores } from "../../parallel/cores.js";
import type { Group } from "../../parallel/group.js";
import type { Ranks } from "../../parallel/ranks.js";
import type { GradientFormat, RanksInfo, TrainOptions } from "../request.js";
import { AgreedStop } from "./rank-engine.js";

/** What is told of ranks. */
export function ranksInfo({ size, hosts, engine }: Ranks, gradients: GradientFormat): RanksInfo {
  return { size, machines: new Set(hosts).size, engine, gradients };
}

export interface Team {
  readonly ranks: Ranks;
  readonly group: Group;
  readonly stop: AgreedStop;
  /** Of its machine, this rank's; undefined where there is one rank. */
  readonly cores?: number;
  /** What the launcher could do better: one line each. */
  readonly warnings: readonly string[];
  /** The first rank tells what others found. */
  readonly exchange: () => Promise<void>;
}

/** How a training runs on several ranks, in place of what it was asked for. */
export type JoinedOptions = Pick<TrainOptions, "signal" | "threads" | "algorithms">;

/** Comes together with the others. Operations are written as the first measured them: sums round by it. */
export async function join(
  ranks: Ranks,
  { signal, threads, algorithms }: TrainOptions,
): Promise<Omit<Team, "exchange"> & { readonly options: JoinedOptions }> {
  const stop = new AgreedStop(signal);
  const common = { ranks, group: groupOf(ranks), stop };
  if (ranks.size === 1) return { ...common, warnings: [], options: { ...(signal && { signal }) } };
  const { cores, problem } = await ownCores(ranks);
  return {
    ...common,
    cores,
    warnings: problem === undefined ? [] : [problem],
    options: {
      signal: stop.signal,
      threads: threads ?? cores,
      algorithms: await onFirst(ranks, () => algorithms ?? {}),
    },
  };
}
