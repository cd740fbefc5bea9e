// What a training's process holds in memory, over a thousand updates of a small network or detector.
//
//     npm run build
//     node bench/memory.mjs [cpu|webgpu] [--detector] [--updates 1000] [--batch 16]
//
// Prints the resident set every hundred updates, and how much it grew an update in the second half: what loader, engine
// and driver take once is in the first. A larger batch makes what goes to the device in every update larger. A detector's
// images are of eight sizes, each of which has graphs of its own, and as many objects as there happen to be.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { elaborate, elaborateRecipe, memoryHost, parseTarget } from "../dist/compiler/index.js";
import { openDataSet } from "../dist/runtime/data/index.js";
import { fileHost } from "../dist/runtime/host.js";
import { train } from "../dist/runtime/training/trainer.js";
import { residentMemory } from "./resident.mjs";

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
const RECIPE_OF_DETECTOR = `recipe sizes {
  optimizer sgd(momentum: 0.9)
  batch 4
  learning_rate 0.001
  stop 1000
  clip_norm 10
  train { random_resize_shorter [64, 192], step: 16   flip_horizontal }
}
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    updates: { type: "string", default: "1000" },
    batch: { type: "string" },
    detector: { type: "boolean", default: false },
  },
});
const [device = "cpu"] = positionals;
const updates = Number(options.updates);
const host = memoryHost({ "small.resnet": SOURCE, "sizes.resnet": RECIPE_OF_DETECTOR });
const detector = "examples/scenes/scenes.resnet#SceneDetector";
const { model } = options.detector
  ? elaborate(parseTarget(detector), { host: fileHost() })
  : elaborate(parseTarget("small.resnet"), { host });
const { recipe } = elaborateRecipe(parseTarget(options.detector ? "sizes.resnet" : "small.resnet"), { host });
const batch = options.batch === undefined ? recipe.batch : Number(options.batch);
const data = options.detector ? "scenes:400" : "shapes";
const resident = residentMemory(updates);
const folder = await mkdtemp(join(tmpdir(), "resnetc-memory-"));
try {
  await train(
    {
      model,
      recipe: { ...recipe, batch, stop: { steps: updates }, validateEvery: updates, checkpointEvery: updates },
      data: await openDataSet(data),
      folder,
      names: { target: model.name, recipe: recipe.name, data },
    },
    {
      device,
      onEvent(event) {
        if (event.kind === "notice") console.log(event.message);
        if (event.kind === "start") console.log(`${event.device}, batch ${batch}, resident MB after so many updates`);
        if (event.kind === "step") resident.after(event.metrics.step);
      },
    },
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
resident.tell("update");
