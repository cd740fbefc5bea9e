/** Trains for a thousand updates in a process of its own and says how its memory grew; see memory.test.ts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { train } from "../../../runtime/training/trainer.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

const folder = await mkdtemp(path.join(tmpdir(), "resnetc-memory-"));
const device = process.env["RESNETC_DEVICE"] === "webgpu" ? "webgpu" : "cpu";
const steps = Number(process.env["RESNETC_STEPS"] ?? 1000);
/** Resident megabytes after every hundredth of the training. */
const resident: number[] = [];
const losses: number[] = [];
await train(
  {
    model: tinyModel(),
    recipe: tinyRecipe({ stop: { steps }, validateEvery: steps, checkpointEvery: steps }),
    data: await tinyData(),
    folder,
    names: NAMES,
  },
  {
    device,
    threads: 1,
    sameThread: true,
    onEvent(event) {
      if (event.kind !== "step") return;
      if (event.metrics.step <= 5) losses.push(event.metrics.loss);
      if (event.metrics.step % Math.ceil(steps / 100) === 0) resident.push(process.memoryUsage().rss / 1e6);
    },
  },
);
await rm(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify({ resident, losses }));
