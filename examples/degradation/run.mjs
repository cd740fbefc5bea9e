// The paper's finding on a small budget: deeper plain networks have the higher training error, deeper residual ones the
// lower (figures 1, 6 and 7). Trains plain and residual networks of several depths, then draws. A run that was
// interrupted goes on with the same command.
//
//     node examples/degradation/run.mjs [--data shapes] [--recipe shapes] [--depths 20,44] [--epochs 2] [--threads 2] [-o dist/degradation]
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "shapes" },
    recipe: { type: "string", default: "shapes" },
    depths: { type: "string", default: "20,44" },
    epochs: { type: "string", default: "2" },
    device: { type: "string", default: "auto" },
    threads: { type: "string" },
    output: { type: "string", short: "o", default: "dist/degradation" },
  },
});
const BIN = fileURLToPath(new URL("../../bin/resnetc.js", import.meta.url));
const resnetc = (...args) => {
  const { status, signal } = spawnSync(process.execPath, [BIN, ...args], { stdio: "inherit" });
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
};

const depths = values.depths.split(",").map(Number);
const kinds = { plain: "CifarPlain", residual: "CifarResNet" };
mkdirSync(values.output, { recursive: true });

for (const [kind, network] of Object.entries(kinds)) {
  for (const depth of depths) {
    const folder = join(values.output, `${kind}-${depth}`);
    if (existsSync(join(folder, "model.onnx"))) continue;
    console.error(`${kind}-${depth}`);
    const resume = existsSync(join(folder, "checkpoints")) ? ["--resume"] : [];
    resnetc(
      ...["train", `${network}(depth: ${depth})`, "--recipe", values.recipe, "--epochs", values.epochs],
      ...["--data", values.data, "--device", values.device, "-o", folder, ...resume],
      ...(values.threads === undefined ? [] : ["--threads", values.threads]),
    );
  }
}

const folders = (kind) => depths.map((depth) => join(values.output, `${kind}-${depth}`));
const names = (kind) => depths.map((depth) => `${kind}-${depth}`).join(",");
for (const kind of Object.keys(kinds)) {
  const title = kind === "plain" ? "plain networks" : "residual networks";
  resnetc(
    "plot",
    ...folders(kind),
    "--names",
    names(kind),
    "--title",
    title,
    "--linear",
    "-o",
    join(values.output, `${kind}.svg`),
  );
}
resnetc(
  ...["responses", ...folders("plain"), ...folders("residual"), "--names", `${names("plain")},${names("residual")}`],
  ...["--data", values.data, "--device", values.device, "-o", join(values.output, "responses.svg")],
);

console.log("network        training error   test error");
for (const kind of Object.keys(kinds)) {
  for (const depth of depths) {
    const lines = readFileSync(join(values.output, `${kind}-${depth}`, "metrics.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const steps = lines.filter((line) => line.kind === "step");
    // Of the last fifth: the rate is small there, and what is left to learn is little.
    const last = steps.slice(-Math.ceil(steps.length / 5));
    const training = last.reduce((sum, { error }) => sum + error, 0) / last.length;
    const test = lines.findLast((line) => line.kind === "test")?.error ?? NaN;
    console.log(
      `${`${kind}-${depth}`.padEnd(14)} ${(100 * training).toFixed(1).padStart(12)} % ${(100 * test).toFixed(1).padStart(10)} %`,
    );
  }
}
