/** How many cores of its machine a rank has for itself. */
import { readFileSync } from "node:fs";
import os from "node:os";
import { together } from "./agree.js";
import { rankName, type Ranks } from "./ranks.js";

export interface OwnCores {
  /** At least 1. */
  readonly cores: number;
  /** Where the launcher leaves most of a machine without work: one line. */
  readonly problem?: string;
}

/** A machine's cores are shared out among its ranks; where the launcher has bound each to some of them, it has those. */
export async function ownCores(ranks: Ranks): Promise<OwnCores> {
  const allowed = allowedCores();
  const all = await together(ranks, () => allowed);
  const isNear = (rank: number): boolean => ranks.hosts[rank] === ranks.hosts[ranks.rank];
  const near = all.filter((_, rank) => isNear(rank));
  const available = os.availableParallelism();
  const cores = Math.max(1, Math.floor(available / near.filter((each) => each === allowed).length));
  // Bound to different cores, and to few of them: Open MPI does it where there are two ranks at most.
  const unused = os.cpus().length - near.length * cores;
  if (new Set(near).size === 1 || unused < near.length) return { cores };
  const where = rankName(ranks, ranks.rank);
  return {
    cores,
    problem:
      `${where} is bound to ${available} of ${os.cpus().length} cores, and ${unused} have nothing to do: ` +
      "mpirun --bind-to none (Open MPI), -bind-to none (MPICH) or srun --cpus-per-task gives ranks all of them",
  };
}

/** As Linux lists them; elsewhere nothing is known of binding. */
function allowedCores(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}
