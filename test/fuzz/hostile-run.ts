/** Checks, summarizes and formats hostile programs one after the other, and prints what they took; run in a process of its own. */
import { check, elaborate, format, memoryHost, parseTarget, summarize } from "../../compiler/index.js";
import { hostileProgram } from "./hostile.js";

const runs = Number(process.env["HOSTILE_RUNS"] ?? 1000);
const first = Number(process.env["HOSTILE_SEED"] ?? 1);

export interface Report {
  readonly programs: number;
  readonly slowest: { readonly seed: number; readonly ms: number };
  /** Megabytes of the whole process, at most. */
  readonly peak: number;
  readonly failures: readonly { readonly seed: number; readonly error: string }[];
}

// What a process does for the first time is slower; a server does it once.
check([{ path: "warm.resnet", text: 'import { ResNet50 } from "std/resnet"\nnetwork A = ResNet50' }]);
for (let seed = 0; seed < 20; seed++) check([{ path: "warm.resnet", text: hostileProgram(-seed) }]);

const failures: { seed: number; error: string }[] = [];
let slowest = { seed: 0, ms: 0 };
let peak = 0;
for (let seed = first; seed < first + runs; seed++) {
  const text = hostileProgram(seed);
  // Of processor time: the clock on the wall runs on while others have the core.
  const before = process.cpuUsage();
  try {
    const { diagnostics } = check([{ path: "hostile.resnet", text }]);
    const { user } = process.cpuUsage(before);
    if (user / 1000 > slowest.ms) slowest = { seed, ms: Math.round(user / 1000) };
    for (const { message, span } of diagnostics) {
      if (message === "" || message.length > 3000 || /undefined|NaN|\[object/.test(message)) {
        failures.push({ seed, error: `message: ${message.slice(0, 200)}` });
      }
      if (span.file === "hostile.resnet" && span.end > text.length) failures.push({ seed, error: "a place outside" });
    }
    format(text, "hostile.resnet");
    const files = { "hostile.resnet": text };
    const { model } = elaborate(parseTarget("hostile.resnet#F(1, 2)"), { host: memoryHost(files) });
    if (model) summarize(model);
  } catch (error) {
    failures.push({ seed, error: String(error instanceof Error ? error.stack : error).slice(0, 600) });
  }
  peak = Math.max(peak, process.memoryUsage().rss);
}
process.stdout.write(
  JSON.stringify({ programs: runs, slowest, peak: Math.round(peak / 1e6), failures } satisfies Report),
);
