/** What the launcher (mpirun, srun) says of itself in the environment of the processes that it starts. */

type Environment = Readonly<Record<string, string | undefined>>;

export interface Launched {
  /** Processes that it started. */
  readonly size: number;
  /** By whom, for messages. */
  readonly by: string;
  /** Whose library fits, where that is known. */
  readonly family?: "openmpi" | "mpich";
}

/** The first that is there: under Slurm, an mpirun of its own may have started this process. */
const SIGNS: readonly (Omit<Launched, "size"> & { readonly variable: string })[] = [
  { variable: "OMPI_COMM_WORLD_SIZE", by: "the mpirun of Open MPI", family: "openmpi" },
  { variable: "PMI_SIZE", by: "the mpirun of MPICH, or srun with PMI", family: "mpich" },
  { variable: "SLURM_STEP_NUM_TASKS", by: "srun" },
];

/** Undefined where nothing says that several processes were started together. */
export function launched(env: Environment = process.env): Launched | undefined {
  for (const { variable, ...launcher } of SIGNS) {
    const size = Number(env[variable]);
    if (Number.isInteger(size) && size >= 1) return { ...launcher, size };
  }
  return undefined;
}
