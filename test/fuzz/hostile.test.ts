/**
 * Programs that are made to take time and memory end soon and in little of it. HOSTILE_RUNS and HOSTILE_SEED choose how many
 * and which; 5,000 take some minutes.
 */
import { expect, it } from "vitest";
import { runInNode } from "../support/run-in-node.js";
import type { Report } from "./hostile-run.js";

const RUNS = process.env["HOSTILE_RUNS"] ?? "150";

it("hostile programs: no crash, a second each, 500 MB of heap for all", async () => {
  // A process that needs more memory ends, and the test with it; the stack is that of a browser's thread.
  const limits = ["--max-old-space-size=500", "--stack-size=600"];
  const file = `${import.meta.dirname}/hostile-run.ts`;
  const { slowest, failures, programs } = await runInNode<Report>(file, { HOSTILE_RUNS: RUNS }, limits);
  expect(failures).toEqual([]);
  expect(programs).toBe(Number(RUNS));
  // Twice the target: a busy machine is slower, and its caches are others'.
  expect(slowest.ms, `seed ${slowest.seed}`).toBeLessThan(2000);
}, 3_600_000);
