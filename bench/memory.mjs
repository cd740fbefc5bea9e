// What a training's process holds in memory, over a thousand updates of a small network.
//
//     npm run build
//     node bench/memory.mjs [cpu|webgpu] [--updates 1000] [--batch 16]
//
// Prints the resident set every hundred updates, and how much it grew an update in the second half: what loader, engine
// and driver take once is in the first. A larger batch makes what goes to the device in every update larger.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { elaborate, elaborateRecipe, memoryHost, parseTarget } from "../dist/compiler/index.js";
import { openDataSet } from "../dist/runtime/data/index.js";
import { train } from "../dist/runtime/training/trainer.js";

const SOURCE = `import { basic } from "std/blocks"
network Small {
  input image 3x32x32
  stage conv1 { conv 3x3, 16, /8   bn   relu }
  stage conv2 { basic(16) }
  head        { global_avg_pool   fc 10   softmax }
}
recipe steady {
  optimizer sgd(momentum: 0.9)
  batch 16
  learning_rate 0.01
  stop 1000
  train { normalize(mean: 0.5, std: 0.25)   flip_horizontal }
}
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { updates: { type: "string", default: "1000" }, batch: { type: "string", default: "16" } },
});
const [device = "cpu"] = positionals;
const [updates, batch] = [Number(options.updates), Number(options.batch)];
const host = memoryHost({ "small.resnet": SOURCE });
const { model } = elaborate(parseTarget("small.resnet"), { host });
const { recipe } = elaborateRecipe(parseTarget("small.resnet"), { host });
const every = Math.ceil(updates / 10);
const resident = [];
const folder = await mkdtemp(join(tmpdir(), "resnetc-memory-"));
try {
  await train(
    {
      model,
      recipe: { ...recipe, batch, stop: { steps: updates }, validateEvery: updates, checkpointEvery: updates },
      data: await openDataSet("shapes"),
      folder,
      names: { target: "small.resnet", recipe: "small.resnet", data: "shapes" },
    },
    {
      device,
      onEvent(event) {
        if (event.kind === "start") console.log(`${event.device}, batch ${batch}, resident MB after so many updates`);
        if (event.kind !== "step" || event.metrics.step % every !== 0) return;
        resident.push(process.memoryUsage.rss() / 1e6);
        console.log(`${String(event.metrics.step).padStart(6)} ${resident.at(-1).toFixed(1).padStart(8)}`);
      },
    },
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`${((slope(resident.slice(-6)) / every) * 1000).toFixed(1)} kB an update in the second half`);

/** Of the straight line that fits best: what it grows from one value to the next. */
function slope(values) {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [above, below] = values.reduce(
    ([a, b], value, i) => [a + (i - middle) * (value - mean), b + (i - middle) ** 2],
    [0, 0],
  );
  return above / below;
}
