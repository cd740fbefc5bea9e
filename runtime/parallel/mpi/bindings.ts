/**
 * The functions of an MPI library, called through koffi: there are no headers and nothing is compiled.
 *
 * Handles (a communicator, a type) are not the same in all libraries: addresses of symbols in Open MPI, whole numbers in MPICH,
 * small addresses in the standard ABI of MPI 5 (not tested: no system that we have brings one). Numbers below are of their mpi.h.
 * Arguments that MPI writes to are arrays of ours, so that one declaration fits all.
 */
import { ParallelError } from "../ranks.js";
import type { Launched } from "../launched.js";

export type Handle = number | bigint;

/** What is used of koffi. */
interface Koffi {
  config(settings: { readonly async_stack_size: number }): unknown;
  load(file: string, how: { readonly lazy: true; readonly global: true }): Library;
}

interface Library {
  symbol(name: string): bigint;
  func(name: string, result: string, parameters: readonly string[]): (...given: unknown[]) => number;
}

export interface Constants {
  readonly world: Handle;
  readonly float: Handle;
  readonly double: Handle;
  readonly byte: Handle;
  readonly sum: Handle;
  readonly max: Handle;
  readonly min: Handle;
  readonly errorsReturn: Handle;
  readonly inPlace: bigint;
  /** MPI_THREAD_FUNNELED: one thread makes all calls. */
  readonly funneled: number;
}

/** An MPI function: throws where MPI says that it failed. */
export type Call = (...given: readonly unknown[]) => void;

const FUNCTIONS = {
  Init_thread: "void *, void *, int, void *",
  Comm_rank: "H, void *",
  Comm_size: "H, void *",
  Comm_set_errhandler: "H, H",
  Allreduce: "void *, void *, int, H, H, H",
  Allgather: "void *, int, H, void *, int, H, H",
  Allgatherv: "void *, int, H, void *, void *, void *, H, H",
  Alltoallv: "void *, void *, void *, H, void *, void *, void *, H, H",
  Bcast: "void *, int, H, int, H",
  Ibarrier: "H, void *",
  Test: "void *, void *, void *",
  Iprobe: "int, int, H, void *, void *",
  Send: "void *, int, H, int, int, H",
  Recv: "void *, int, H, int, int, H, void *",
  Abort: "H, int",
  Finalize: "",
  Get_library_version: "void *, void *",
  Error_string: "int, void *, void *",
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

export interface Bindings {
  readonly file: string;
  readonly abi: Abi;
  /** As the library says it, in one line. */
  readonly version: string;
  readonly constants: Constants;
  readonly call: Readonly<Record<FunctionName, Call>>;
}

export type Abi = "openmpi" | "mpich" | "standard";

const MPICH: Constants = {
  world: 0x44000000,
  float: 0x4c00040a,
  double: 0x4c00080b,
  byte: 0x4c00010d,
  sum: 0x58000003,
  max: 0x58000001,
  min: 0x58000002,
  errorsReturn: 0x54000001,
  inPlace: 0xffffffffffffffffn,
  funneled: 1,
};

/** MPI 5.0, appendix A: small addresses. */
const STANDARD: Constants = {
  world: 0x101n,
  float: 0x210n,
  double: 0x214n,
  byte: 0x247n,
  sum: 0x21n,
  max: 0x23n,
  min: 0x22n,
  errorsReturn: 0x143n,
  inPlace: 1n,
  funneled: 1024,
};

function openMpi(library: Library): Constants {
  const at = (name: string): bigint => library.symbol(`ompi_mpi_${name}`);
  return {
    world: at("comm_world"),
    float: at("float"),
    double: at("double"),
    byte: at("byte"),
    sum: at("op_sum"),
    max: at("op_max"),
    min: at("op_min"),
    errorsReturn: at("errors_return"),
    inPlace: 1n,
    funneled: 1,
  };
}

const NAMES: Readonly<Record<"openmpi" | "mpich" | "any", readonly string[]>> = {
  openmpi: ["libmpi.so.40"],
  mpich: ["libmpich.so.12", "libmpi.so.12", "libmpi_abi.so.0"],
  any: ["libmpi.so.40", "libmpich.so.12", "libmpi.so.12", "libmpi_abi.so.0"],
};

/** What has to be there before the library is: UCX, which MPICH may use, takes over signals and memory functions otherwise. */
const VARIABLES: Readonly<Record<string, string>> = {
  // Of SIGSEGV V8 makes the exceptions of WebAssembly.
  UCX_ERROR_SIGNALS: "SIGILL,SIGBUS,SIGFPE",
  // Else it moves the end of the heap while other threads allocate from it.
  UCX_MEM_EVENTS: "no",
};

/**
 * To be called on the program's main thread, before anything that starts threads.
 *
 * @throws {ParallelError} one line: koffi or MPI is missing, and what to install
 */
export async function loadBindings({ family }: Pick<Launched, "family">): Promise<Bindings> {
  const koffi = await loadKoffi();
  for (const [name, value] of Object.entries(VARIABLES)) process.env[name] ??= value;
  // MPICH needs more than the 128 KiB that there are otherwise. Settings count until the first library is loaded.
  koffi.config({ async_stack_size: 1 << 20 });
  const asked = process.env["RESNETC_MPI"];
  const { file, library } = loadFirst(koffi, asked ? [asked] : NAMES[family ?? "any"]);
  const abi = abiOf(library);
  const constants = abi === "openmpi" ? openMpi(library) : abi === "mpich" ? MPICH : STANDARD;
  const call = declare(library, abi === "mpich" ? "int" : "void *");
  return { file, abi, constants, call, version: versionOf(call) };
}

/** @throws {ParallelError} where it is not there */
export async function loadKoffi(): Promise<Koffi> {
  // Not a name that is looked for when this is compiled: most installations do without.
  const name = "koffi";
  try {
    const loaded = (await import(name)) as { readonly default: Koffi };
    return loaded.default;
  } catch (cause) {
    throw new ParallelError(
      "several ranks need the package koffi, which calls the MPI library, and it can't be loaded: npm install koffi",
      { cause },
    );
  }
}

function loadFirst(koffi: Koffi, names: readonly string[]): { readonly file: string; readonly library: Library } {
  for (const file of names) {
    try {
      // Its plugins look for its symbols.
      return { file, library: koffi.load(file, { lazy: true, global: true }) };
    } catch {
      // The next one.
    }
  }
  throw new ParallelError(
    `no MPI library is there (${names.join(", ")}): install that of the mpirun that is used (Debian: openmpi-bin or mpich), ` +
      "or name its file in RESNETC_MPI",
  );
}

function abiOf(library: Library): Abi {
  const has = (name: string): boolean => {
    try {
      library.symbol(name);
      return true;
    } catch {
      return false;
    }
  };
  // Open MPI may have both: its own handles are then those of its own library.
  if (has("ompi_mpi_comm_world")) return "openmpi";
  return has("MPI_Abi_get_version") ? "standard" : "mpich";
}

function declare(library: Library, handle: string): Bindings["call"] {
  const made = Object.entries(FUNCTIONS).map(([name, parameters]) => {
    const types = parameters === "" ? [] : parameters.split(", ").map((type) => (type === "H" ? handle : type));
    return [name, library.func(`MPI_${name}`, "int", types)] as const;
  });
  const functions = Object.fromEntries(made) as Record<FunctionName, (...given: unknown[]) => number>;
  const checked = (name: FunctionName): Call => {
    return (...given) => {
      const code = functions[name](...given);
      if (code !== 0) throw new ParallelError(`MPI_${name}: ${textOf(functions.Error_string, code)}`);
    };
  };
  const names = Object.keys(FUNCTIONS) as FunctionName[];
  return Object.fromEntries(names.map((name) => [name, checked(name)])) as Record<FunctionName, Call>;
}

function textOf(describe: (...given: unknown[]) => number, code: number): string {
  const text = Buffer.alloc(512);
  return describe(code, text, new Int32Array(1)) === 0 ? firstLine(text) : `error ${code}`;
}

function versionOf(call: Bindings["call"]): string {
  const text = Buffer.alloc(8192);
  call.Get_library_version(text, new Int32Array(1));
  // Open MPI adds who built it; MPICH puts its number behind a tab.
  return firstLine(text)
    .replace(/,.*$/, "")
    .replace(/^MPICH Version:\s*/, "MPICH ");
}

function firstLine(text: Buffer): string {
  return text
    .toString("utf8", 0, Math.max(0, text.indexOf(0)))
    .split("\n", 1)[0]!
    .trim();
}
