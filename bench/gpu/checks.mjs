/**
 * The tests of WebGPU as checks of whatever GPU is here: scripts of the tests, which print what the GPU gave, and what that has
 * to be. They run where no test runner is.
 */
import auxiliary from "../../test/golden/training/auxiliary_steps.json";
import several from "../../test/golden/training/several_labels_steps.json";
import resnet20 from "../../test/golden/training/webgpu_steps.json";
import { detections } from "../../test/compiler/ops/detection/detector.ts";
import { roiAlign, roiPool } from "../../test/compiler/ops/detection/pooled.ts";
import { runOperator } from "../../test/compiler/ops/detection/run.ts";
import { CASES, DETECTORS, IMAGE } from "../../test/compiler/ops/detection/webgpu.cases.ts";

const atMost = (error, most, what) => (error <= most ? [] : [`${what}: ${error}, not below ${most}`]);

const steps = (network, golden) => ({
  name: `five steps of ${network}, beside PyTorch's`,
  script: "test/compiler/training/session.webgpu.ts",
  env: { RESNETC_NETWORK: network },
  judge: (losses) =>
    losses.flatMap((loss, step) => atMost(Math.abs(loss / golden.losses[step] - 1), 1e-3, `loss of step ${step}`)),
});

const targets = (dialect) => ({
  name: `losses and gradients of a detector of ${dialect}`,
  script: "test/compiler/training/tiny-detector.webgpu.ts",
  golden: `test/golden/training/${dialect}-targets.json`,
  env: { RESNETC_DIALECT: dialect, RESNETC_BATCH: "1" },
  judge: ({ loss, gradient }) => [...atMost(loss, 1e-4, "losses"), ...atMost(gradient, 1e-3, "gradients")],
});

/** `judge` gives what is wrong with what a script printed; `beside`: the same script on the processor is its second argument. */
export const CHECKS = [
  {
    name: "every layer and its gradient",
    script: "test/compiler/ops/layers.webgpu.ts",
    judge: (reports) =>
      reports.flatMap(({ op, sample, output, gradients }) => [
        ...atMost(output, 1e-4, `${op} of ${sample}`),
        ...atMost(gradients, 1e-3, `gradients of ${op} of ${sample}`),
      ]),
  },
  {
    name: "standard networks",
    script: "test/stdlib/devices.webgpu.ts",
    judge: (reports) => reports.flatMap(({ target, difference }) => atMost(difference, 1e-3, target)),
  },
  { name: "operators of detectors", script: "test/compiler/ops/detection/session.webgpu.ts", judge: detection },
  steps("webgpu_steps", resnet20),
  steps("auxiliary_steps", auxiliary),
  steps("several_labels_steps", several),
  targets("detectron2"),
  targets("paper"),
  {
    name: "three steps of a detector",
    script: "test/compiler/training/detector-steps.webgpu.ts",
    beside: true,
    judge: ({ steps: own }, { steps: theirs }) =>
      theirs.flatMap((losses, step) =>
        Object.entries(losses).flatMap(([name, loss]) =>
          atMost(Math.abs(own[step][name] / loss - 1), 1e-3, `${name} of step ${step}`),
        ),
      ),
  },
  {
    name: "a training that changes its device",
    script: "test/runtime/training/device.webgpu.ts",
    judge: ({ apart, readBack, fellBack }, _theirs, device) => [
      ...atMost(apart, 1e-3, "weights apart"),
      ...(device === "webgpu" && fellBack.length > 0 ? [`on the processor: ${fellBack.join(", ")}`] : []),
      ...(device === "webgpu" && readBack.some((each) => each.join() !== "numbers") ? ["more is read back"] : []),
    ],
  },
];

async function detection({ results, found }) {
  const problems = [];
  for (const [name, { op, inputs, attributes }] of Object.entries(CASES)) {
    if (typeof results[name] === "string") problems.push(`${name}: ${results[name]}`);
    else {
      const loops = { roi_pool: roiPool, roi_align: roiAlign }[op];
      const [features, regions] = inputs;
      const expected = loops ? [loops(features, regions, attributes)] : await runOperator(op, inputs, attributes);
      problems.push(...differing(results[name], expected, 1e-4, name));
    }
  }
  for (const [name, source] of Object.entries(DETECTORS)) {
    if (typeof found[name] === "string") problems.push(`${name}: ${found[name]}`);
    else problems.push(...differing(found[name], await detections(source, IMAGE, "cpu"), 1e-3, name));
  }
  return problems;
}

function differing(own, theirs, tolerance, name) {
  return theirs.flatMap(({ data }, index) => {
    const given = own[index].data;
    if (given.length !== data.length) return [`${name}: ${given.length} values for ${data.length}`];
    const wrong = data.findIndex(
      (value, at) => !(Math.abs(given[at] - value) <= tolerance * Math.max(1, Math.abs(value))),
    );
    return wrong < 0 ? [] : [`${name}: ${given[wrong]} for ${data[wrong]}`];
  });
}
