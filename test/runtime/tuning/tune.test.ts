/** Choices that are measured on a machine are kept in a file: what is in it, and what happens when it is not as it was. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Graph } from "../../../compiler/ir/types.js";
import type { TrainingOptions } from "../../../compiler/training/contract.js";
import { buildProgram } from "../../../runtime/training/fit.js";
import { tune, tunedAlgorithms, type TuneOptions, type Tuning } from "../../../runtime/tuning/tune.js";
import { tinyModel } from "../training/tiny.js";

const options: TrainingOptions = { batch: 4, optimizer: { kind: "sgd" } };

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-tune-"));
  file = path.join(folder, "cache", "methods.json");
});
afterEach(() => rm(folder, { recursive: true }));

/** Every graph takes longer than the one before; counts them. */
function counter() {
  const graphs: Graph[] = [];
  return { graphs, measure: (graph: Graph): Promise<number> => Promise.resolve(graphs.push(graph)) };
}

const run = (how: TuneOptions): Promise<Tuning> => tune(tinyModel(), options, { device: "cpu", file, ...how });

describe("tuning", () => {
  it("measures on the machine itself, and keeps what was found", async () => {
    const progress: number[] = [];
    const tuning = await run({ threads: 1, onProgress: (done, total) => progress.push(done / total) });
    const { operations } = tuning;
    expect(operations.length).toBeGreaterThan(5);
    expect(progress).toHaveLength(operations.length + 1);
    expect(progress.at(-1)).toBe(1);
    for (const { method, seconds, known } of operations) {
      expect(known).toBe(false);
      expect(Object.keys(seconds).length, JSON.stringify(seconds)).toBeGreaterThan(1);
      expect(seconds[method!]).toBeGreaterThan(0);
    }
    const methods = Object.fromEntries(operations.map(({ key, method }) => [key, method]));
    expect(await tunedAlgorithms({ threads: 1, file })).toEqual(methods);
    // Of other numbers of threads it says nothing.
    expect(await tunedAlgorithms({ threads: 3, file })).toEqual({});
    expect(await tunedAlgorithms({ file })).toEqual({});
  });

  it("measures nothing twice, but when it is told to", async () => {
    const first = counter();
    const tuning = await run(first);
    expect(first.graphs.length).toBeGreaterThanOrEqual(2 * tuning.operations.length);
    const second = counter();
    const again = await run(second);
    expect(second.graphs).toEqual([]);
    expect(again.operations).toEqual(tuning.operations.map((each) => ({ ...each, known: true })));
    const larger = await tune(tinyModel(), { ...options, batch: 8 }, { device: "cpu", file, ...second });
    expect(larger.operations.some(({ known }) => known)).toBe(false);
    const kept = await tunedAlgorithms({ file });
    expect(Object.keys(kept)).toHaveLength(tuning.operations.length + larger.operations.length);
    const third = counter();
    expect((await run({ ...third, again: true })).operations.some(({ known }) => known)).toBe(false);
    expect(third.graphs.length).toBe(first.graphs.length);
  });

  it("keeps what it has when it is stopped, and goes on with the rest", async () => {
    const stop = new AbortController();
    const stopped = await run({
      ...counter(),
      signal: stop.signal,
      onProgress: (done) => done === 2 && stop.abort(),
    });
    expect(stopped.finished).toBe(false);
    // The one that was begun was finished.
    expect(stopped.operations).toHaveLength(3);
    const rest = await run(counter());
    expect(rest.finished).toBe(true);
    expect(rest.operations.map(({ known }) => known).indexOf(false)).toBe(3);
  });

  it.each([
    ["truncated", (text: string) => text.slice(0, text.length / 2)],
    ["of another layout", () => '{"version": 2, "machines": {}}'],
    ["something else", () => '["conv"]'],
    ["without a time", (text: string) => text.replace(/"seconds": \{[^}]*\}/, '"seconds": {}')],
    ["with a time that nothing takes", (text: string) => text.replace(/: \d+(?=,?\n)/g, ": 1e308")],
    ["with a time that is none", (text: string) => text.replace(/: \d+(?=,?\n)/g, ": -1")],
    ["empty", () => ""],
  ])("ignores a file that is damaged with one line, and writes it anew: %s", async (_, damage) => {
    const { operations } = await run(counter());
    await writeFile(file, damage(await readFile(file, "utf8")));
    const warnings: string[] = [];
    const onWarning = (message: string): number => warnings.push(message);
    const line = `${file}: is damaged: what was measured before is not used`;
    expect(await tunedAlgorithms({ file, onWarning })).toEqual({});
    expect(warnings).toEqual([line]);
    const anew = await run({ ...counter(), onWarning });
    expect(warnings).toEqual([line, line]);
    expect(anew.operations).toEqual(operations);
    expect(Object.keys(await tunedAlgorithms({ file, onWarning }))).toHaveLength(operations.length);
    expect(warnings).toHaveLength(2);
  });

  it.each(["__proto__", "nosuchmethod", "constructor"])(
    "believes in no method that there is not: %s",
    async (method) => {
      const { operations } = await run(counter());
      const kept = JSON.parse(await readFile(file, "utf8")) as { machines: Record<string, Record<string, unknown>> };
      for (const machine of Object.values(kept.machines)) {
        for (const key of Object.keys(machine)) {
          machine[key] = { method, seconds: JSON.parse(`{"${method}": 1e-9, "plain": 2}`) as unknown };
        }
      }
      await writeFile(file, JSON.stringify(kept));
      const again = counter();
      const warnings: string[] = [];
      const anew = await run({ ...again, onWarning: (message) => warnings.push(message) });
      expect(anew.operations).toEqual(operations);
      expect(again.graphs.length).toBeGreaterThan(0);
      expect(warnings).toEqual([expect.stringMatching(/operations are written there in ways that there are not/)]);
      const chosen = buildProgram(tinyModel(), { ...options, sizes: {} }, { [operations[0]!.key]: method });
      expect(chosen.options.algorithms).toEqual({});
    },
  );

  it("is not held up by what is no file of ours", async () => {
    await mkdir(path.dirname(file), { recursive: true });
    const warnings: string[] = [];
    const onWarning = (message: string): number => warnings.push(message);
    if (process.platform !== "win32") {
      execFileSync("mkfifo", [file]);
      expect(await tunedAlgorithms({ file, onWarning })).toEqual({});
      await rm(file);
    }
    await truncate(await writeFile(file, "").then(() => file), 17e6);
    expect(await tunedAlgorithms({ file, onWarning })).toEqual({});
    expect(warnings.map((line) => line.replace(`${file}: `, ""))).toEqual([
      ...(process.platform === "win32" ? [] : ["is no file: what was measured is not used"]),
      "is larger than 16 MB: what was measured is not used",
    ]);
  });

  it("says that the file can't be written before it measures", async () => {
    await mkdir(file, { recursive: true });
    const { graphs, measure } = counter();
    await expect(run({ measure })).rejects.toThrow(`${file}: is a folder`);
    await writeFile(path.join(folder, "occupied"), "");
    await expect(run({ measure, file: path.join(folder, "occupied", "methods.json") })).rejects.toThrow(
      /occupied: can't be written/,
    );
    expect(graphs).toEqual([]);
  });
});
