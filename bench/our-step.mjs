/** A training step of ours as benches make it: the graph alone, on images and targets that are there already. */
import { elaborate, parseTarget } from "../dist/compiler/index.js";
import { concat, emitOnnx } from "../dist/compiler/emit/onnx.js";
import { valuesOf } from "../dist/compiler/emit/parameters.js";
import { evaluate } from "../dist/compiler/ir/dim.js";
import { buildTraining } from "../dist/compiler/training/build.js";
import { nextName, NUMBERS } from "../dist/compiler/training/contract.js";
import { heldOn, heldValues } from "../dist/compiler/training/held.js";
import { trainingProvider } from "../dist/runtime/onnx/create.js";
import { loadRuntime } from "../dist/runtime/onnx/onnxruntime.js";
import { timed } from "./timing.mjs";

/** What is trained, by the names that train_step.py has. */
export const NETWORKS = {
  cifar20: { target: "CifarResNet(depth: 20)", batch: 128, size: 32, classes: 10 },
  resnet18: { target: "ResNet18", batch: 16, size: 224, classes: 1000 },
  // PyTorch's has its strides where version 1.5 has them.
  resnet50: { target: "ResNet50V15", batch: 8, size: 224, classes: 1000 },
  // torchvision's fasterrcnn_resnet50_fpn as it trains it: batch norms and the first two stages fixed.
  fpn: {
    target: "FasterRCNN_ResNet50_FPN",
    batch: 2,
    height: 480,
    width: 640,
    objects: 7,
    frozenBatchNorm: true,
    frozenStages: ["body.conv1", "body.conv2"],
  },
};

/** The network and the graph of a whole step of it, as the trainer has them on a device. */
export function trainingOf(network, { device = "cpu", blockSize = 0, precision = "fp32", held = heldOn(device) } = {}) {
  const { target, batch, size, height = size, width = size, objects, frozenBatchNorm, frozenStages } = network;
  const { model } = elaborate(parseTarget(target), objects ? {} : { input: [3, size, size] });
  const { train } = buildTraining(model, {
    batch,
    blockSize,
    device,
    precision,
    held,
    ...(frozenBatchNorm && { frozenBatchNorm }),
    ...(frozenStages && { frozenStages }),
    ...(objects && { sizes: { H: height, W: width } }),
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
  });
  return { model, train };
}

/**
 * @param network what is trained, and on how much: `target`, `batch`, `size` or `height` and `width`, `classes` or `objects`
 * @param more `device`, `precision` and `held` of the training; `session`: options of ONNX Runtime besides
 */
export async function openStep(network, { threads, blockSize, session: more = {}, ...how }) {
  const ort = await loadRuntime();
  const { batch, size, height = size, width = size, classes, objects, rate = objects ? 1e-5 : 0.01 } = network;
  const { device = "cpu", precision = "fp32" } = how;
  const { model, train } = trainingOf(network, { blockSize, ...how });
  const staysThere = device === "webgpu";
  const places = train.graph.outputs.map(({ name }) => [name, name.startsWith("next.") ? "gpu-buffer" : "cpu"]);
  const { chunks, byteLength } = emitOnnx(train.graph);
  const session = await ort.InferenceSession.create(concat(chunks, byteLength), {
    executionProviders: [trainingProvider(device)],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    ...(staysThere && { preferredOutputLocation: Object.fromEntries(places) }),
    ...more,
  });
  const parameters = new Map(model.graph.parameters.map((each) => [each.path, each]));
  const first = ({ init, shape }) =>
    init.kind === "parameter"
      ? valuesOf(parameters.get(init.path), undefined, 0)
      : new Float32Array(product(shape)).fill(init.value);
  const tensor = (data, shape) => new ort.Tensor("float32", data, shape);
  const begun = (held) => {
    const parts = new Map(held.parts.map((part) => [part.name, part]));
    return heldValues(held, (name) => first(parts.get(name)));
  };
  let state = new Map(train.reads.map((each) => [each.name, tensor(begun(each), each.shape)]));
  // Next values are written where those before the last were, as the trainer does: on a processor.
  let spare = staysThere
    ? undefined
    : new Map(train.writes.map(({ name, shape }) => [name, tensor(new Float32Array(product(shape)), shape)]));
  const shape = [batch, 3, height, width];
  const image = tensor(pixelsOf(shape), shape);
  const targets = objects
    ? objectsOf(network, tensor)
    : { labels: new ort.Tensor("int64", BigInt64Array.from(labelsOf(batch, classes), BigInt), [batch]) };
  for (const { name, shape } of train.noise) {
    const lengths = shape.map((dim) => evaluate(dim, { objects }));
    targets[name] = tensor(
      Float32Array.from({ length: product(lengths) }, (_, i) => ((i * 7919) % 99991) / 99991),
      lengths,
    );
  }
  const [imageName] = train.graph.inputs.map((input) => input.name);
  return {
    async step() {
      const feeds = {
        [imageName]: image,
        ...targets,
        learning_rate: tensor(Float32Array.of(rate), []),
        ...(precision === "mixed" && { loss_scale: tensor(Float32Array.of(128), []) }),
      };
      const measured = train.numbers ? NUMBERS : "loss";
      const places = train.writes.map(({ name }) => [nextName(name), spare?.get(name) ?? null]);
      const fetches = { [measured]: null, ...Object.fromEntries(places) };
      const { made, ...time } = await timed(() => session.run({ ...feeds, ...Object.fromEntries(state) }, fetches));
      const next = new Map([...state, ...train.writes.map(({ name }) => [name, made[nextName(name)]])]);
      if (spare) spare = new Map([...spare.keys()].map((key) => [key, state.get(key)]));
      else train.writes.forEach(({ name }) => state.get(name).dispose());
      state = next;
      return { ...time, loss: made[measured].data[0] };
    },
    endProfiling: () => session.endProfiling(),
    close: () => session.release(),
  };
}

/** Of each image of a batch. */
export function labelsOf(batch, classes) {
  return Array.from({ length: batch }, (_, i) => (i * 37) % classes);
}

/** Pixels of a batch, as networks are given them. */
export function pixelsOf(shape) {
  return Float32Array.from({ length: product(shape) }, (_, i) => ((i * 7919) % 1009) / 500 - 1);
}

/** As many in each image, from small to large: train_step.py has the same. */
function objectsOf({ batch, height, width, objects }, tensor) {
  const boxes = Array.from({ length: batch * objects }, (_, i) => {
    const [x, y, side] = [(i * 67) % (width - 250), (i * 41) % (height - 250), 20 + 30 * (i % objects)];
    return [x, y, x + side, y + side];
  });
  const rows = [batch, objects];
  return {
    image_info: tensor(Float32Array.from(Array(batch).fill([height, width, height, width, 1, 1]).flat()), [batch, 6]),
    "objects.boxes": tensor(Float32Array.from(boxes.flat()), [...rows, 4]),
    "objects.labels": tensor(
      Float32Array.from(boxes, (_, i) => i % 90),
      rows,
    ),
    "objects.present": tensor(new Float32Array(batch * objects).fill(1), rows),
  };
}

function product(shape) {
  return shape.reduce((all, size) => all * size, 1);
}
