// What the paper found of detectors, in small (tables 7 to 9): a residual backbone and one of VGG's kind, training at once and
// in alternation, box refinement and voting, context, several scales. Each is trained from several seeds, judged on the same
// held-out scenes, and drawn. What an interrupted run has done is kept: the same command goes on.
//
//     npm run build
//     node examples/scenes/findings.mjs [--seeds 3] [--updates 300] [--scenes 300] [-o out/findings]
//
// About half an hour a seed on two cores, and ten minutes for the plain backbone.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "3" },
    updates: { type: "string", default: "300" },
    scenes: { type: "string", default: "300" },
    crops: { type: "string", default: "9000" },
    device: { type: "string", default: "auto" },
    output: { type: "string", short: "o", default: "out/findings" },
  },
});
const here = (name) => join(import.meta.dirname, name);
const BIN = here("../../bin/resnetc.js");
const UPDATES = Number(values.updates);
const DATA = `scenes:1600/100/${values.scenes}`;
const RESIDUAL = here("backbone.safetensors");
const PLAIN = join(values.output, "plain", "model.safetensors");

const residual = { target: here("scenes.resnet#SceneDetector"), recipe: "scenes", weights: RESIDUAL, updates: UPDATES };
/**
 * What is trained: its target, the recipe, a backbone's weights, the updates of each phase. Training in alternation is about
 * shared layers, so that the second of them learns there, and in what it is compared with.
 */
const TRAINED = {
  residual,
  plain: { ...residual, target: here("findings.resnet#PlainDetector"), weights: PLAIN },
  alternating: {
    ...residual,
    target: here("alternating.resnet#Alternating"),
    recipe: here('alternating.resnet#alternating(frozen: ["features.conv1"])'),
    updates: UPDATES / 2,
  },
  joint: { ...residual, recipe: 'scenes(frozen: ["features.conv1"])' },
  context: { ...residual, target: here("scenes.resnet#SceneDetector(context: true)") },
};

/** What is tested: the paper's table, a name, whose weights, and the detector that takes them. */
const TESTED = [
  ["tables 7, 8", "backbone of VGG's kind", "plain", here("findings.resnet#PlainDetector")],
  ["", "residual backbone", "residual", here("scenes.resnet#SceneDetector")],
  ["section 3.2 of Faster R-CNN", "alternating training", "alternating", here("alternating.resnet#Alternating")],
  ["", "joint training", "joint", here("scenes.resnet#SceneDetector")],
  ["table 9", "baseline", "residual", here("scenes.resnet#SceneDetector")],
  ["", "+ box refinement", "residual", here("scenes.resnet#SceneDetector(refined: true)")],
  ["", "+ voting", "residual", here("scenes.resnet#SceneDetector(refined: true, vote: 0.5)")],
  ["", "+ context", "context", here("scenes.resnet#SceneDetector(refined: true, vote: 0.5, context: true)")],
  ["", "+ several scales", "context", here("findings.resnet#SeveralScales")],
];

mkdirSync(values.output, { recursive: true });
if (!existsSync(PLAIN)) trainPlainBackbone();
const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed);
const results = TESTED.map((row) => ({ row, found: [] }));
for (const seed of seeds) {
  for (const name of Object.keys(TRAINED)) train(name, seed);
  for (const { row, found } of results) found.push(judge(row, seed));
}
report(results);

/** As backbone.safetensors was made: on single shapes (crops.mjs). */
function trainPlainBackbone() {
  const crops = join(values.output, "crops");
  if (!existsSync(crops)) run([here("crops.mjs"), crops, values.crops]);
  console.error("the plain backbone");
  trainOnce(PLAIN, [
    here("findings.resnet#Plain"),
    ...["--recipe", here("scenes.resnet#crops(rate: 0.02)"), "--data", crops, "--seed", "0"],
  ]);
}

function train(name, seed) {
  const { target, recipe, weights, updates } = TRAINED[name];
  console.error(`${name}, seed ${seed}`);
  trainOnce(join(folderOf(name, seed), "model.safetensors"), [
    target,
    ...["--recipe", recipe, "--steps", String(updates), "--data", DATA, "--seed", String(seed)],
    ...["--weights", weights, "--lenient", "--images", "0"],
  ]);
}

/** A training that ends in `weights`, begun, gone on with, or there already. */
function trainOnce(weights, args) {
  if (existsSync(weights)) return;
  const folder = join(weights, "..");
  const resume = existsSync(join(folder, "checkpoints")) ? ["--resume"] : [];
  run([BIN, "train", ...args, "--device", values.device, "-o", folder, ...resume]);
}

/** What `resnetc eval` says of a detector on scenes that no training has seen; said once for the same weights. */
function judge([, , name, target], seed) {
  const kept = join(folderOf(name, seed), `${target.split("#")[1].replaceAll(/\W+/g, "-")}.json`);
  if (!existsSync(kept)) {
    const weights = join(folderOf(name, seed), "model.safetensors");
    const args = [BIN, "eval", target, "--weights", weights, "--data", DATA, "--device", values.device, "--json"];
    writeFileSync(kept, run(args, "pipe"));
  }
  const { AP, AP50, AP75 } = JSON.parse(readFileSync(kept, "utf8"));
  return { seed, AP, AP50, AP75 };
}

function folderOf(name, seed) {
  return join(values.output, `${name}-${seed}`);
}

function run(args, stdout = "inherit") {
  const {
    status,
    signal,
    stdout: text,
  } = spawnSync(process.execPath, args, {
    stdio: ["inherit", stdout, "inherit"],
    encoding: "utf8",
  });
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
  return text;
}

function report(results) {
  const mean = (found, name) => (100 * found.reduce((sum, each) => sum + each[name], 0)) / found.length;
  console.log(`${"".padEnd(32)}   AP (each seed)${" ".repeat(6 * seeds.length - 6)} AP50   AP75`);
  for (const { row, found } of results) {
    const [table, name] = row;
    if (table) console.log(`${table}:`);
    const each = found.map(({ AP }) => (100 * AP).toFixed(1)).join(", ");
    const columns = [mean(found, "AP").toFixed(1), `(${each})`.padEnd(6 * seeds.length + 2)];
    console.log(
      `  ${name.padEnd(30)} ${columns.join(" ")} ${mean(found, "AP50").toFixed(1)}   ${mean(found, "AP75").toFixed(1)}`,
    );
  }
  const file = join(values.output, "findings");
  const rows = results.map(({ row: [table, name], found }) => ({ table, name, found }));
  writeFileSync(`${file}.json`, `${JSON.stringify({ updates: UPDATES, data: DATA, rows }, undefined, 2)}\n`);
  writeFileSync(`${file}.svg`, draw(rows));
  console.log(`wrote ${file}.json and ${file}.svg`);
}

/** AP of each seed as a point, their mean as a line, in a row for each detector. */
function draw(rows) {
  const [WIDTH, LEFT, RIGHT, ROW, TOP, GAP] = [720, 230, 30, 26, 44, 30];
  const all = rows.flatMap(({ found }) => found.map(({ AP }) => 100 * AP));
  const [low, high] = [5 * Math.floor(Math.min(...all) / 5), 5 * Math.ceil(Math.max(...all) / 5)];
  const x = (value) => LEFT + ((WIDTH - LEFT - RIGHT) * (value - low)) / (high - low);
  let y = TOP;
  const marks = [];
  for (const { table, name, found } of rows) {
    if (table) {
      y += GAP;
      marks.push(`<text x="16" y="${y}" font-weight="bold">${table}</text>`);
    }
    y += ROW;
    const aps = found.map(({ AP }) => 100 * AP);
    const mean = aps.reduce((sum, value) => sum + value, 0) / aps.length;
    marks.push(
      `<text x="${LEFT - 12}" y="${y}" text-anchor="end">${name}</text>`,
      `<line x1="${x(mean)}" x2="${x(mean)}" y1="${y - 14}" y2="${y + 4}" stroke="#1f6fb2" stroke-width="3"/>`,
      ...aps.map((value) => `<circle cx="${x(value)}" cy="${y - 5}" r="4" fill="#1f6fb2" fill-opacity="0.45"/>`),
      `<text x="${x(Math.max(...aps)) + 10}" y="${y}" fill="#555">${mean.toFixed(1)}</text>`,
    );
  }
  const bottom = y + 18;
  const ticks = Array.from({ length: (high - low) / 5 + 1 }, (_, i) => low + 5 * i);
  const grid = ticks.flatMap((value) => [
    `<line x1="${x(value)}" x2="${x(value)}" y1="${TOP}" y2="${bottom}" stroke="#ddd"/>`,
    `<text x="${x(value)}" y="${bottom + 16}" text-anchor="middle" fill="#555">${value}</text>`,
  ]);
  const height = bottom + 44;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="16" y="28" font-size="16">AP on ${values.scenes} held-out scenes, after ${UPDATES} updates: seeds and their mean</text>`,
    ...grid,
    ...marks,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 8}" text-anchor="middle" fill="#555">AP (IoU 0.50 to 0.95), %</text>`,
    "</svg>\n",
  ].join("\n");
}
