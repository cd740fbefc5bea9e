/** The ranks that this process is one of. */
import { launched } from "./launched.js";
import type { MpiOptions } from "./mpi/ranks.js";
import type { Ranks } from "./ranks.js";
import { SELF } from "./self.js";

/** Whether a launcher has started several processes, of which this is one. */
export function isRank(): boolean {
  return (launched()?.size ?? 1) > 1;
}

/**
 * One process alone where no launcher (mpirun, srun) started several; MPI is only loaded otherwise. To be called on the main
 * thread before anything that starts threads, once in a process.
 *
 * @throws {ParallelError}
 */
export async function openRanks(options: MpiOptions): Promise<Ranks> {
  if (!isRank()) return SELF;
  const { openMpi } = await import("./mpi/ranks.js");
  return openMpi(options);
}
