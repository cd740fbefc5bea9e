/**
 * Ranks on MPI. Every collective begins with a gate that all have to reach: until then a rank is idle, and others of the machine
 * have its cores, its own timers and signals work, and who does not come can be named. Only then come the calls that keep the
 * thread busy, over which a watchdog has an eye.
 */
import os from "node:os";
import { performance } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers/promises";
import { ParallelError, rankName, type Combined, type Operation, type Ranks, type Traffic } from "../ranks.js";
import { launched, type Launched } from "../launched.js";
import { Watchdog } from "../watchdog.js";
import { loadBindings, type Bindings } from "./bindings.js";
import { RollCall } from "./roll-call.js";

/** How a process waits for the others, and how it says why it ends the job. */
export interface MpiOptions {
  /** Seconds that a rank waits for the others. */
  readonly patience: number;
  /** Told why this rank ends the job, in one line. */
  readonly onEnd: (message: string) => void;
}

/** Exit code of a job that a rank has kept from going on, EX_TEMPFAIL of sysexits.h: it may be started again. */
export const LOST = 75;
/** In ms: what a launcher needs to hand on a line of a rank, and more. */
const HANDED_ON = 300;

/** Exit code of a fault in a program, EX_SOFTWARE of sysexits.h. */
const FAULT = 70;

/** Seconds that numbers may be on their way: longer than the launcher needs to notice that a machine is gone. */
const MOVING = 60;
/** Milliseconds until those that wait must have answered. */
const ANSWERED = 5000;
/** Milliseconds in which a rank looks again at once, and then between two looks. */
const EAGER = 2;
const PAUSE = 1;
/** Elements and bytes of a call: their number is an int. */
const MOST = 1 << 30;

/**
 * @throws {ParallelError} where koffi or MPI is missing, and where the launcher started more processes than MPI knows of
 */
export async function openMpi(
  options: MpiOptions,
  launcher: Launched = launched() ?? { size: 1, by: "nobody" },
): Promise<Ranks> {
  const mpi = await loadBindings(launcher);
  const { call, constants } = mpi;
  const out = new Int32Array(1);
  call.Init_thread(null, null, constants.funneled, out);
  call.Comm_set_errhandler(constants.world, constants.errorsReturn);
  call.Comm_rank(constants.world, out);
  const rank = out[0]!;
  call.Comm_size(constants.world, out);
  const size = out[0]!;
  if (size !== launcher.size) {
    call.Finalize();
    throw new ParallelError(
      `${launcher.by} started ${launcher.size} processes, and ${mpi.version} (${mpi.file}) knows of ${size}: each would train ` +
        "alone. Start them by the mpirun of that MPI, or name the other library in RESNETC_MPI; with srun, by the --mpi that it " +
        "was built for (srun --mpi=list)",
    );
  }
  const ranks = new MpiRanks(mpi, rank, size, options);
  await ranks.meet();
  return ranks;
}

class MpiRanks implements Ranks {
  readonly rank: number;
  readonly size: number;
  readonly engine: string;
  readonly traffic: Traffic = { waited: 0, moved: 0, bytes: 0 };
  hosts: readonly string[];
  readonly #mpi: Bindings;
  readonly #options: MpiOptions;
  readonly #watchdog: Watchdog;
  readonly #rollCall: RollCall;
  /** Gates that this rank has come to. */
  #gates = 0;
  #isBusy = false;
  #isOver = false;
  readonly #onExit: (code: number) => void;
  readonly #onError: (error: unknown) => void;

  constructor(mpi: Bindings, rank: number, size: number, options: MpiOptions) {
    this.#mpi = mpi;
    this.rank = rank;
    this.size = size;
    this.engine = mpi.version;
    this.hosts = Array.from({ length: size }, (_, each) => (each === rank ? os.hostname() : "?"));
    this.#options = options;
    this.#rollCall = new RollCall(mpi, rank, size);
    this.#watchdog = new Watchdog(MOVING * 1000, rankName(this, rank));
    // A process that ends before it has finalized has not done its part, whatever its exit code; MPICH would take 0 for success.
    this.#onExit = (code) => this.abort(code === 0 ? LOST : code);
    process.on("exit", this.#onExit);
    this.#onError = (error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      options.onEnd(`${rankName(this, rank)}: ${text}`);
      process.exit(FAULT);
    };
    process.on("uncaughtException", this.#onError);
  }

  /** Each tells its name. */
  async meet(): Promise<void> {
    this.hosts = (await this.gather(Buffer.from(os.hostname()))).map((name) => Buffer.from(name).toString());
  }

  async allreduce(values: Combined, operation: Operation): Promise<void> {
    if (!(values instanceof Float32Array || values instanceof Float64Array)) {
      throw new TypeError("only Float32Array and Float64Array can be combined");
    }
    const { call, constants } = this.#mpi;
    const { world, inPlace, float, double } = constants;
    const type = values instanceof Float32Array ? float : double;
    await this.#collective(values.byteLength, () => {
      this.#checkLengths(values.byteLength);
      for (let at = 0; at < values.length; at += MOST) {
        const part = values.subarray(at, at + MOST);
        call.Allreduce(inPlace, part, part.length, type, constants[operation], world);
      }
    });
  }

  async exchange(parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
    if (parts.length !== this.size)
      throw new TypeError(`${parts.length} parts are not one for each of ${this.size} ranks`);
    const { call, constants } = this.#mpi;
    const { world, byte } = constants;
    const given = parts.map(({ byteLength }) => byteLength);
    const total = given.reduce((sum, length) => sum + length, 0);
    const length = given[this.rank]!;
    const received = new Uint8Array(length * this.size);
    if (Math.max(total, received.length) >= 2 ** 31)
      throw new ParallelError(`${total} bytes are too many to exchange at once`);
    await this.#collective(total, () => {
      this.#checkLengths(total);
      const out = new Uint8Array(total);
      const [counts, starts] = [Int32Array.from(given), startsOf(given)];
      parts.forEach((part, rank) => out.set(part, starts[rank]));
      const lengths = given.map(() => length);
      call.Alltoallv(
        ...[some(out), counts, starts, byte],
        ...[some(received), Int32Array.from(lengths), startsOf(lengths), byte, world],
      );
    });
    return given.map((_, rank) => received.subarray(rank * length, (rank + 1) * length));
  }

  async gather(bytes: Uint8Array): Promise<Uint8Array[]> {
    const { call, constants } = this.#mpi;
    const { world, byte, double } = constants;
    const lengths = new Float64Array(this.size);
    let all = new Uint8Array();
    await this.#collective(bytes.byteLength, () => {
      call.Allgather(Float64Array.of(bytes.byteLength), 1, double, lengths, 1, double, world);
      const counts = Int32Array.from(lengths);
      const total = lengths.reduce((sum, length) => sum + length, 0);
      if (total >= 2 ** 31) throw new ParallelError(`${total} bytes are too many to gather at once`);
      all = new Uint8Array(total);
      if (total > 0) call.Allgatherv(some(bytes), bytes.byteLength, byte, all, counts, startsOf(counts), byte, world);
    });
    let at = 0;
    return [...lengths].map((length) => all.subarray(at, (at += length)));
  }

  async broadcast(bytes: Uint8Array | undefined): Promise<Uint8Array> {
    const { call, constants } = this.#mpi;
    const { world, byte, double } = constants;
    const isFirst = this.rank === 0;
    if (isFirst && bytes === undefined) throw new TypeError("the first rank has nothing to tell");
    const length = Float64Array.of(bytes?.byteLength ?? 0);
    let told = bytes ?? new Uint8Array();
    await this.#collective(isFirst ? told.byteLength : 0, () => {
      call.Bcast(length, 1, double, 0, world);
      if (!isFirst) told = new Uint8Array(length[0]!);
      for (let at = 0; at < told.length; at += MOST) {
        const part = told.subarray(at, at + MOST);
        call.Bcast(part, part.length, byte, 0, world);
      }
    });
    return told;
  }

  async barrier(patient = false): Promise<void> {
    await this.#collective(0, () => undefined, patient);
  }

  abort(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // MPICH's launcher drops what a rank has just written when it is told to end the job: why it ends has to get through first.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANDED_ON);
    // Where the network is gone neither this nor a message need come back.
    this.#watchdog.watch(() => this.#mpi.call.Abort(this.#mpi.constants.world, code));
  }

  async finalize(): Promise<void> {
    await this.barrier();
    this.#isOver = true;
    process.off("exit", this.#onExit);
    process.off("uncaughtException", this.#onError);
    this.#watchdog.watch(() => this.#mpi.call.Finalize());
    await this.#watchdog.close();
  }

  async #collective(bytes: number, calls: () => void, patient = false): Promise<void> {
    if (this.#isOver) throw new ParallelError("the ranks have parted already");
    // Two at a time could come in one order here and in another one there.
    if (this.#isBusy) throw new ParallelError("a rank can't take part in two collectives at a time");
    this.#isBusy = true;
    try {
      const came = performance.now();
      await this.#gate(patient);
      const met = performance.now();
      this.#watchdog.watch(calls);
      this.traffic.waited += met - came;
      this.traffic.moved += performance.now() - met;
      this.traffic.bytes += bytes;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Until all ranks have come. */
  async #gate(patient: boolean): Promise<void> {
    const { call, constants } = this.#mpi;
    const place = ++this.#gates;
    // Room for a pointer, or for a number.
    const request = new BigUint64Array(1);
    const status = new Uint8Array(64);
    const flag = new Int32Array(1);
    call.Ibarrier(constants.world, request);
    const began = performance.now();
    // Those of low rank ask first, so that one line says who is missing, and not one of each rank.
    const limit = patient ? Infinity : this.#options.patience * 1000 + 500 * Math.min(this.rank, 20);
    const present = new Set([this.rank]);
    let asked: number | undefined;
    for (;;) {
      call.Test(request, flag, status);
      if (flag[0] !== 0) return;
      const now = performance.now();
      if (now - began < EAGER) {
        await setImmediate();
        continue;
      }
      this.#watchdog.watch(() => this.#rollCall.answer(place));
      if (asked === undefined && now - began > limit) {
        asked = now;
        this.#watchdog.watch(() => this.#rollCall.ask(place));
      }
      if (asked !== undefined) {
        this.#watchdog.watch(() => this.#rollCall.collect(place, present));
        if (now - asked > ANSWERED) this.#endWithout(present, now - began);
      }
      await setTimeout(PAUSE);
    }
  }

  #endWithout(present: ReadonlySet<number>, waited: number): void {
    const absent = this.hosts.map((_, rank) => rank).filter((rank) => !present.has(rank));
    const names = absent.map((rank) => rankName(this, rank));
    const shown = names.length > 4 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
    const who = absent.length === 0 ? "the network" : shown;
    const verb = absent.length > 1 ? "hang" : "hangs";
    const seconds = Math.round(waited / 1000);
    this.#options.onEnd(`${who} ${verb}: ${rankName(this, this.rank)} has waited for ${seconds} s; the job ends`);
    this.abort(LOST);
    // Abort may come back before the launcher has ended this process.
    process.exit(LOST);
  }

  /** Arrays of different lengths would make of memory what nobody can foresee. */
  #checkLengths(length: number): void {
    const { call, constants } = this.#mpi;
    const { world, double, max, inPlace } = constants;
    const ends = Float64Array.of(length, -length);
    call.Allreduce(inPlace, ends, 2, double, max, world);
    if (ends[0] !== length || ends[1] !== -length) {
      throw new ParallelError(
        `${rankName(this, this.rank)} combines ${length} bytes, others from ${-ends[1]!} to ${ends[0]!}: the ranks do different things`,
      );
    }
  }
}

/** Where each of some things begins that lie one behind the other. */
function startsOf(lengths: ArrayLike<number>): Int32Array {
  let at = 0;
  return Int32Array.from(lengths, (length) => (at += length) - length);
}

/** An empty array has no address. */
function some(bytes: Uint8Array): Uint8Array {
  return bytes.length > 0 ? bytes : new Uint8Array(1);
}
