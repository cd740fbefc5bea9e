/** One rank of collectives.test.ts: does what its argument names, and prints what came of it as a line of JSON. */
import { setTimeout } from "node:timers/promises";
import { writeSync } from "node:fs";
import { failedOn, onFirst, together } from "../../../runtime/parallel/agree.js";
import { sumAsHalves } from "../../../runtime/parallel/halves.js";
import { openRanks } from "../../../runtime/parallel/open.js";

const [what, patience = "30"] = process.argv.slice(2);
const ranks = await openRanks({
  patience: Number(patience),
  onEnd: (message) => writeSync(2, `${message}\n`),
});
const { rank, size } = ranks;
const tell = (value: object): void => void writeSync(1, `${JSON.stringify({ rank, size, ...value })}\n`);

/** Numbers of the ranks that are exact in single precision. */
const numbers = (length: number, of: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((i * 7 + of * 13) % 1000) - 500);

const SCENES: Readonly<Record<string, () => Promise<void> | void>> = {
  async works() {
    const lengths = [1, 1000, 100_003];
    const wrong: string[] = [];
    for (const length of lengths) {
      const all = Array.from({ length: size }, (_, of) => numbers(length, of));
      const sum = numbers(length, rank);
      await ranks.allreduce(sum, "sum");
      const expected = all[0]!.map((_, i) => all.reduce((total, each) => total + each[i]!, 0));
      if (!sum.every((value, i) => value === expected[i])) wrong.push(`sum of ${length}`);
      // A part of a larger array, in memory that threads share.
      const shared = new Float32Array(new SharedArrayBuffer(4 * (length + 3))).subarray(2, length + 2);
      shared.set(numbers(length, rank));
      await ranks.allreduce(shared, "max");
      if (!shared.every((value, i) => value === Math.max(...all.map((each) => each[i]!))))
        wrong.push(`max of ${length}`);
      const doubles = Float64Array.from(numbers(length, rank), (value) => value / 3);
      await ranks.allreduce(doubles, "min");
      if (!doubles.every((value, i) => value === Math.min(...all.map((each) => each[i]! / 3))))
        wrong.push(`min of ${length}`);
    }
    const gathered = await ranks.gather(Uint8Array.from({ length: 5 * rank }, () => rank));
    if (gathered.some((bytes, of) => bytes.length !== 5 * of || bytes.some((byte) => byte !== of)))
      wrong.push("gather");
    // To rank n go n + 1 bytes, of each.
    const exchanged = await ranks.exchange(Array.from({ length: size }, (_, to) => new Uint8Array(to + 1).fill(rank)));
    if (exchanged.some((bytes, of) => bytes.length !== rank + 1 || bytes.some((byte) => byte !== of)))
      wrong.push("exchange");
    for (const length of [1, 1000, 100_003]) {
      const all = Array.from({ length: size }, (_, of) => numbers(length, of).map((value) => value * 1e-9));
      const sum = all[rank]!.slice();
      await sumAsHalves(ranks, sum);
      const expected = all[0]!.map((_, i) => all.reduce((total, each) => total + each[i]!, 0));
      // Each of them is rounded by 2^-11 at most, and the sum once more; the largest is 500e-9.
      const most = (size + 1) * 500e-9 * 2 ** -11;
      if (!sum.every((value, i) => Math.abs(value - expected[i]!) <= most)) wrong.push(`halves of ${length}`);
      const [first] = await ranks.gather(new Uint8Array(sum.buffer));
      if (!Buffer.from(first!).equals(Buffer.from(sum.buffer))) wrong.push(`halves of ${length} differ`);
    }
    const odd = Float32Array.of(1, Infinity, rank === 1 ? NaN : 2, 0);
    await sumAsHalves(ranks, odd);
    if (!(odd[0] === size && odd[1] === Infinity && Number.isNaN(odd[2]) && odd[3] === 0))
      wrong.push(`odd halves: ${odd.join(" ")}`);
    const none = new Float32Array(5);
    await sumAsHalves(ranks, none);
    if (none.some((value) => value !== 0)) wrong.push("halves of zero");
    const told = await ranks.broadcast(rank === 0 ? Buffer.from("from the first") : undefined);
    if (Buffer.from(told).toString() !== "from the first") wrong.push("broadcast");
    const values = await together(ranks, () => ({ rank, values: new Map([["a", Float32Array.of(rank)]]) }));
    if (values.some((value, of) => value.rank !== of || value.values.get("a")![0] !== of)) wrong.push("together");
    if ((await onFirst(ranks, () => `rank ${rank}`)) !== "rank 0") wrong.push("onFirst");
    await ranks.barrier();
    const { engine, hosts } = ranks;
    await ranks.finalize();
    tell({ wrong, engine, hosts: hosts.length });
  },
  async agrees() {
    const failure = await together(ranks, () => {
      if (rank === 1) throw new RangeError("only here");
    }).catch((error: unknown) => error as Error);
    const first = await onFirst(ranks, () => {
      throw new TypeError("at the first");
    }).catch((error: unknown) => error as Error);
    await ranks.finalize();
    tell({
      failure: [(failure as Error).name, (failure as Error).message, failedOn(failure)],
      first: [first.name, first.message, failedOn(first)],
    });
  },
  async refuses() {
    const problems: string[] = [];
    const note = (error: unknown): void => void problems.push((error as Error).message);
    await ranks.allreduce(new Int32Array(4) as never, "sum").catch(note);
    const first = ranks.barrier();
    await ranks.barrier().catch(note);
    await first;
    await ranks.allreduce(new Float32Array(4 + rank), "sum").catch(note);
    await ranks.finalize();
    await ranks.barrier().catch(note);
    tell({ problems });
  },
  async throws() {
    if (rank === 1) throw new Error("a mistake of rank 1");
    await ranks.barrier();
  },
  async rejects() {
    if (rank === 1) {
      void Promise.reject(new Error("a mistake of rank 1"));
      // Once both were at the barrier, the other could leave before this one has said why.
      await setTimeout(10_000);
    }
    await ranks.barrier();
  },
  async leaves() {
    if (rank === 1) process.exit(0);
    await ranks.barrier();
  },
  ends() {
    // All of them, without finalizing.
    process.exitCode = 0;
  },
  async killed() {
    if (rank === 1) process.kill(process.pid, "SIGKILL");
    await ranks.barrier();
  },
  async hangs() {
    if (rank === size - 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    await ranks.barrier();
  },
  async "first hangs"() {
    if (rank === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    await ranks.barrier();
  },
  async stopped() {
    if (rank === 1) process.kill(process.pid, "SIGSTOP");
    await ranks.barrier();
  },
};

await SCENES[what!]!();
