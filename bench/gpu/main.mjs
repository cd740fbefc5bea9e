// What bench/gpu.mjs runs, bundled, where the GPU is: checks, then timings.
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { availability } from "../../dist/runtime/onnx/device.js";
import { CHECKS } from "./checks.mjs";
import { detectionRate, inferenceRate, networkOf, operatorTimes, peaksOf, trainingRate } from "./timing.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
    python: { type: "string", default: "python3" },
  },
});
const quick = options.quick;
const rounds = Number(options.rounds ?? (quick ? 1 : 10));
const here = path.dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);
const say = (line) => process.stdout.write(`${line}\n`);
const minutes = () => `${(performance.now() / 60_000).toFixed(1)} min`;
/** Of a run that is to end in eight minutes, when no more is begun. */
const LAST = 7 * 60_000;
const hasTime = () => quick || performance.now() < LAST;

const devices = [];
for (const device of ["webgpu", "cuda"]) {
  const found = await availability(device);
  if (found.available) devices.push(device);
  say(`${device}: ${found.available ? found.note : found.problem}`);
}
let failures = 0;
if (options.only !== "timings") for (const device of devices) await check(device);
if (options.only !== "checks") {
  const theirs = peer();
  for (const device of devices) await time(device, theirs);
}
say(`${failures === 0 ? "all checks passed" : `${failures} checks failed`}; ${minutes()}`);
process.exitCode = failures === 0 ? 0 : 1;

async function check(device) {
  say(`\nchecks on ${device}`);
  for (const { name, script, env = {}, golden, beside, judge } of CHECKS) {
    const given = { ...env, ...(golden && { RESNETC_GOLDEN: path.join(here, path.basename(golden)) }) };
    const problems = await attempt(async () => {
      const own = await printed(script, { ...given, RESNETC_DEVICE: device });
      const theirs = beside && (await printed(script, { ...given, RESNETC_DEVICE: "cpu" }));
      return judge(own, theirs, device);
    });
    if (problems.length > 0) failures++;
    say(`  ${problems.length === 0 ? "ok    " : "FAILED"} ${name}`);
    for (const problem of problems.slice(0, 5)) say(`         ${problem}`);
  }
}

async function attempt(judge) {
  try {
    return await judge();
  } catch (error) {
    return [
      String(error.stderr || error.message || error)
        .trim()
        .split("\n")
        .at(-1),
    ];
  }
}

/** What a script of the tests says, in a process of its own: a GPU that is lost takes the process with it. */
async function printed(script, env) {
  const file = path.join(here, `${path.basename(path.dirname(script))}-${path.basename(script, ".ts")}.mjs`);
  const { stdout } = await run(process.execPath, [file], { env: { ...process.env, ...env }, maxBuffer: 1 << 28 });
  return JSON.parse(stdout);
}

/** PyTorch's rates with cuDNN, by what is timed; none where it is not installed, or has no GPU. */
function peer() {
  const script = path.join(here, "torch_gpu.py");
  const { status, stdout, stderr } = spawnSync(options.python, [script, quick ? "quick" : "whole", String(rounds)], {
    encoding: "utf8",
  });
  if (existsSync(script) && status === 0) return JSON.parse(stdout);
  say(`\nPyTorch: none to compare with (${(stderr ?? "no Python").trim().split("\n").at(-1)})`);
  return {};
}

async function time(device, theirs) {
  const how = { quick, rounds };
  const peaks = await peaksOf(device, quick);
  say(
    `\n${device}: ${(peaks.flops / 1e9).toFixed(0)} GFLOP/s of a product of matrices, ` +
      `${(peaks.bytes / 1e9).toFixed(0)} GB/s of a sum of arrays`,
  );
  const timings = [
    ...["resnet50", "cifar20"].flatMap((name) => [
      ...["fp32", "fp16"].map((precision) => ["inference", name, precision, inferenceRate]),
      ...["fp32", "mixed"].map((precision) => ["training", name, precision, trainingRate]),
    ]),
    ["inference", "fpn", "fp32", (where, _name, _precision, given) => detectionRate(where, given)],
    ["training", "fpn", "fp32", trainingRate],
  ];
  for (const [what, name, precision, measure] of timings) {
    const key = `${what} ${name} ${precision}`;
    if (!hasTime()) say(`  ${key}: left out, after ${minutes()}`);
    else if (networkOf(name, quick) === undefined) say(`  ${key}: only in whole sizes`);
    else {
      const rate = await measure(device, name, precision, how).catch((error) => String(error.message).split("\n")[0]);
      const own = typeof rate === "number" ? `${rate.toFixed(1)} images/s` : rate;
      const ratio = typeof rate === "number" && theirs[key] ? `, ${(rate / theirs[key]).toFixed(2)} of it` : "";
      say(`  ${key}: ${own}${theirs[key] ? `; PyTorch ${theirs[key].toFixed(1)}${ratio}` : ""}`);
    }
  }
  for (const name of ["resnet50", "cifar20"]) {
    if (!hasTime() || networkOf(name, quick) === undefined) continue;
    const lines = await operatorTimes(device, name, peaks, how).catch((error) => [`  ${name}: ${error.message}`]);
    lines.forEach(say);
  }
}
