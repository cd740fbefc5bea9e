// What several ranks gain: one process on one core beside two ranks on a core each, and what follows for more.
//
//     npm run build
//     node bench/parallel.mjs [resnet20|resnet50] [--rounds 3] [--mpirun mpirun.openmpi] [--gradients fp16] [--svg FILE]
//
// Each rank has as many images as the one process, so the efficiency is the time of its update through that of two. The two are
// measured in turn. "sum" is the time in which the numbers of an update are added up over the ranks, "waited" that in which the first
// rank had nothing to do until the other came. "apart" is an update of two processes that train beside each other and know nothing
// of each other: what is lost there, no MPI and no network can win back, for it is the machine that two cores share.
//
// More ranks, and machines with a network between them, are computed and not measured:
//
//     update(N) = compute (1 + shared) + spread * sqrt(2 ln N) + local + 2 (N - 1) / N * bytes / bandwidth + 2 log2(N) * latency
//
// - compute: the median update of one process, and spread its standard deviation: what an update of N waits for is the slowest of N,
//   of independent normal times at most sqrt(2 ln N) of them above the mean.
// - local: the sum itself in memory, as it was measured. One core does it.
// - shared: what two ranks of one machine took longer beyond that, for they share its memory and its caches: in shares of the
//   computation.
// - an allreduce of so many bytes by a ring, of which each link carries 2 (N - 1) / N (Patarasu and Yuan, 2009). Nothing of it is
//   hidden behind the computation, as it is built.
// - bandwidth: 10 and 100 Gb/s Ethernet, of which TCP gets 94 % (frames of 1,500 bytes: 1,448 of 1,538 on the wire); latency:
//   50 and 10 microseconds a message.
// - A rank of 32 cores computes 32 times as fast as one core: it does not, so its efficiency is better than drawn.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { elaborate, elaborateRecipe, memoryHost, parseTarget } from "../dist/compiler/index.js";
import { openRanks } from "../dist/runtime/parallel/open.js";
import { chart, COLOURS } from "../dist/runtime/figures/chart.js";
import { train } from "../dist/runtime/training/trainer.js";
import { median } from "./median.mjs";

const NETWORKS = {
  resnet20: { target: "CifarResNet(depth: 20)", batch: 64, side: 32, updates: 24 },
  resnet50: { target: "ResNet50(classes: 10)", batch: 8, side: 224, updates: 6 },
};
/** Networks between machines. */
const NETS = [10, 100].map((gigabits) => ({
  gigabits,
  // Bytes a millisecond.
  bandwidth: ((gigabits * 1e9) / 8 / 1000) * (1448 / 1538),
  latency: gigabits === 10 ? 0.05 : 0.01,
}));

/** Updates that are not counted: sessions are made in them. */
const FIRST = 2;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    mpirun: { type: "string", default: "mpirun" },
    svg: { type: "string" },
    gradients: { type: "string", default: "fp32" },
    rank: { type: "string" },
    updates: { type: "string" },
  },
});

if (options.rank) await asRank(options.rank);
else await measure();

/** Trains, and prints what each update took. */
async function asRank(name) {
  const ranks = await openRanks({ patience: 600, onEnd: (message) => console.error(message) });
  const { target, batch, side } = NETWORKS[name];
  const updates = Number(options.updates);
  const source = `recipe bench {
    optimizer sgd(momentum: 0.9, weight_decay: 1e-4)
    batch ${batch * ranks.size}
    learning_rate 0.01
    stop ${updates}
    validate 1000000
    checkpoint 1000000
    train { normalize(mean: 0.5, std: 0.25) }
  }`;
  const host = memoryHost({ "bench.resnet": source });
  const { model } = elaborate(parseTarget(target));
  const { recipe, diagnostics } = elaborateRecipe(parseTarget("bench.resnet#bench"), { host });
  if (!recipe) throw new Error(JSON.stringify(diagnostics));
  const folder = await mkdtemp(path.join(os.tmpdir(), "resnetc-bench-"));
  const rows = [];
  let before = { ...ranks.traffic };
  let began = performance.now();
  const data = plainImages(side);
  try {
    await train(
      { model, recipe, data, folder, names: { target, recipe: "bench", data: "plain" } },
      {
        ...{ device: "cpu", threads: 1, workers: 0, ranks, gradients: options.gradients },
        onEvent({ kind, metrics }) {
          if (kind !== "step") return;
          const { waited, moved, bytes } = ranks.traffic;
          const now = performance.now();
          rows.push({
            step: metrics.step,
            took: now - began,
            waited: waited - before.waited,
            moved: moved - before.moved,
            bytes: bytes - before.bytes,
          });
          [before, began] = [{ waited, moved, bytes }, now];
        },
      },
    );
    await ranks.finalize();
    if (ranks.rank === 0) console.log(JSON.stringify(rows.slice(FIRST)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Images that cost nothing to read: what is measured is what the network takes. */
function plainImages(side) {
  const data = Uint8Array.from({ length: 3 * side * side }, (_, at) => (at * 37) % 256);
  const image = { width: side, height: side, data };
  const split = (name, size) => ({
    ...{ name, size, imageSize: [side, side], isLight: true },
    label: (index) => index % 10,
    reference: () => ({ kind: "pixels", name: "plain", image }),
  });
  const classes = Array.from({ length: 10 }, (_, label) => `class ${label}`);
  return {
    ...{ name: "plain", classes, inputShape: [3, side, side], warnings: [] },
    ...{ train: split("train", 50_000), validation: split("validation", 0) },
  };
}

async function measure() {
  const names = positionals.length > 0 ? positionals : Object.keys(NETWORKS);
  const panels = [];
  for (const name of names) {
    const { batch, updates } = NETWORKS[name];
    const [one, two, apart] = [[], [], []];
    for (let round = 0; round < Number(options.rounds); round++) {
      one.push(...(await run([...onCore(0), process.execPath], name, updates)));
      two.push(...(await run([...launcher(2), process.execPath], name, updates)));
      const both = await Promise.all([0, 1].map((core) => run([...onCore(core), process.execPath], name, updates)));
      apart.push(...both.flat());
    }
    const [single, double, beside] = [one, two, apart].map((rows) => median(rows.map(({ took }) => took)));
    const of = (key) => median(two.map((row) => row[key]));
    const mean = one.reduce((sum, { took }) => sum + took, 0) / one.length;
    const spread = Math.sqrt(one.reduce((sum, { took }) => sum + (took - mean) ** 2, 0) / (one.length - 1));
    const local = of("moved");
    const shared = Math.max(0, double - single - of("waited") - local) / single;
    const facts = { compute: single, spread, bytes: of("bytes"), local, shared };
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    console.log(
      `${name}, ${batch} images a rank: one ${single.toFixed(1)} ms, two ${double.toFixed(1)} ms: efficiency ` +
        `${percent(single / double)} (asked: 90 %); apart ${beside.toFixed(1)} ms: ${percent(single / beside)}, of which two ranks have ` +
        `${percent(beside / double)}; sum ${of("moved").toFixed(1)} ms of ${(of("bytes") / 1e6).toFixed(1)} MB, waited ` +
        `${of("waited").toFixed(1)} ms; spread ${spread.toFixed(1)} ms; ${one.length} and ${two.length} updates`,
    );
    const series = NETS.flatMap((net, at) =>
      [1, 32].map((cores) => ({
        name: `${cores === 1 ? "a core" : `${cores} cores`} a rank, ${net.gigabits} Gb/s`,
        colour: COLOURS[at],
        dashed: cores > 1,
        marked: true,
        points: [1, 2, 4, 8, 16, 32, 64, 128, 256].map((ranks) => [ranks, 100 * efficiency(facts, net, ranks, cores)]),
      })),
    );
    for (const { name: line, points } of series) {
      const at = [8, 64, 256].map((ranks) => `${ranks}: ${points.find(([x]) => x === ranks)[1].toFixed(1)} %`);
      console.log(`  ${line}: ${at.join(", ")}`);
    }
    panels.push({
      title: `${NETWORKS[name].target}, ${batch} images a rank`,
      x: { label: "ranks", domain: [1, 256], log: true },
      y: { label: "efficiency (%)", domain: [0, 100] },
      series,
    });
  }
  if (options.svg) {
    const legend = panels[0].series.map(({ name, colour, dashed }) => ({ name, colour, dashed }));
    writeFileSync(
      options.svg,
      chart(panels, legend, "Efficiency of training on several ranks, computed from measurements of two"),
    );
    console.log(`wrote ${options.svg}`);
  }
}

/** Of so many ranks, each as fast as so many of the measured cores. */
function efficiency({ compute, spread, bytes, local, shared }, { bandwidth, latency }, ranks, cores) {
  if (ranks === 1) return 1;
  const own = (compute * (1 + shared)) / cores;
  const slowest = (spread / cores) * Math.sqrt(2 * Math.log(ranks));
  const wire = ((2 * (ranks - 1)) / ranks) * (bytes / bandwidth) + 2 * Math.log2(ranks) * latency;
  return compute / cores / (own + slowest + local + wire);
}

/** All threads of a process on one core, as a rank's are: its images are made there too. */
function onCore(core) {
  return ["taskset", "-c", String(core)];
}

function launcher(ranks) {
  const isOpenMpi = !options.mpirun.includes("mpich");
  return [
    options.mpirun,
    ...(isOpenMpi ? ["--bind-to", "core", "--map-by", "core"] : ["-bind-to", "core"]),
    "-np",
    String(ranks),
  ];
}

async function run([command, ...words], name, updates) {
  const own = [fileURLToPath(import.meta.url), "--rank", name, "--updates", String(updates + FIRST)];
  const wire = ["--gradients", options.gradients];
  const child = spawn(command, [...words, ...own, ...wire], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1", ...process.env },
  });
  let said = "";
  for await (const chunk of child.stdout) said += chunk;
  const rows = said.split("\n").find((line) => line.startsWith("["));
  if (rows === undefined) throw new Error(`${name}: ${command} gave nothing`);
  return JSON.parse(rows);
}
