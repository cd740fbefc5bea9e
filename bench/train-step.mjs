// Training steps beside PyTorch's, on the same machine with as many threads, in turn.
//
//     npm run build
//     node bench/train-step.mjs [cifar20|resnet18|resnet50|fpn] [--threads 2] [--rounds 9] [--python /usr/bin/python3]
//
// Each round makes one step here and one of PyTorch in either memory layout, of which the faster one counts. A ratio
// above 1 means that ours is faster. On a machine that does other things too, the time that processors spent says more
// than the time that passed, and with one thread both libraries spend it on nothing but their work.
import { parseArgs } from "node:util";
import { elaborate, parseTarget } from "../dist/compiler/index.js";
import { evaluate } from "../dist/compiler/ir/dim.js";
import { concat, emitOnnx } from "../dist/compiler/emit/onnx.js";
import { valuesOf } from "../dist/compiler/emit/parameters.js";
import { buildTraining } from "../dist/compiler/training/build.js";
import { nextName } from "../dist/compiler/training/contract.js";
import { machineBlockSize } from "../dist/runtime/onnx/blocked-layout.js";
import { loadRuntime } from "../dist/runtime/onnx/onnxruntime.js";
import { median } from "./median.mjs";
import { startPeer } from "./peer.mjs";

const NETWORKS = {
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

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "9" },
    python: { type: "string", default: "/usr/bin/python3" },
    plain: { type: "boolean", default: false },
  },
});
const [threads, rounds] = [Number(options.threads), Number(options.rounds)];
const ort = await loadRuntime();
const blockSize = options.plain ? 0 : await machineBlockSize();
const names = positionals.length > 0 ? positionals : Object.keys(NETWORKS);
console.log(`${threads} threads, blocks of ${blockSize} channels; ratio: PyTorch's time through ours`);
for (const name of names) await compare(name, NETWORKS[name]);

async function compare(name, network) {
  const ours = await openOurs(network);
  const theirs = await startPeer(options.python, "train_step.py", [name, String(network.batch), String(threads)]);
  const times = { ours: [], contiguous: [], channels_last: [] };
  for (let round = -2; round < rounds; round++) {
    for (const [who, list] of Object.entries(times)) {
      const time = who === "ours" ? await ours.step() : await theirs.step(who);
      if (round >= 0) list.push(time);
    }
  }
  theirs.close();
  await ours.close();
  for (const kind of ["passed", "spent"]) {
    const of = (who) => times[who].map((each) => each[kind]);
    const best = ["contiguous", "channels_last"].reduce((a, b) => (median(of(a)) <= median(of(b)) ? a : b));
    const ratios = of(best).map((their, i) => their / of("ours")[i]);
    const rate = (who) => ((1000 * network.batch) / median(of(who))).toFixed(1);
    console.log(
      `${name}, batch ${network.batch}, time ${kind}: ours ${rate("ours")} images/s, PyTorch ${rate(best)} (${best}); ` +
        `ratio ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
    );
  }
}

async function openOurs(network) {
  const { target, batch, size, height = size, width = size, classes, objects, ...frozen } = network;
  const { model } = elaborate(parseTarget(target), objects ? {} : { input: [3, size, size] });
  const { train } = buildTraining(model, {
    batch,
    blockSize,
    ...frozen,
    ...(objects && { sizes: { H: height, W: width } }),
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
  });
  const { chunks, byteLength } = emitOnnx(train.graph);
  const session = await ort.InferenceSession.create(concat(chunks, byteLength), { intraOpNumThreads: threads });
  const parameters = new Map(model.graph.parameters.map((each) => [each.path, each]));
  const first = ({ init, shape }) =>
    init.kind === "parameter"
      ? valuesOf(parameters.get(init.path), undefined, 0)
      : new Float32Array(product(shape)).fill(init.value);
  const tensor = (data, shape) => new ort.Tensor("float32", data, shape);
  let state = new Map(train.reads.map((each) => [each.name, tensor(Float32Array.from(first(each)), each.shape)]));
  // Next values are written where those before the last were, as the trainer does.
  let spare = new Map(train.writes.map(({ name, shape }) => [name, tensor(new Float32Array(product(shape)), shape)]));
  const image = tensor(
    Float32Array.from({ length: batch * 3 * height * width }, (_, i) => ((i * 7919) % 1009) / 500 - 1),
    [batch, 3, height, width],
  );
  const targets = objects ? objectsOf(network, tensor) : { labels: labelsOf(batch, classes) };
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
        learning_rate: tensor(Float32Array.of(objects ? 1e-5 : 0.01), []),
      };
      const fetches = { loss: null, ...Object.fromEntries([...spare].map(([key, value]) => [nextName(key), value])) };
      const [before, used] = [performance.now(), process.cpuUsage()];
      await session.run({ ...feeds, ...Object.fromEntries(state) }, fetches);
      const [passed, { user, system }] = [performance.now() - before, process.cpuUsage(used)];
      const next = new Map([...state, ...spare]);
      spare = new Map([...spare.keys()].map((key) => [key, state.get(key)]));
      state = next;
      return { passed, spent: (user + system) / 1000 };
    },
    close: () => session.release(),
  };
}

function labelsOf(batch, classes) {
  const numbers = BigInt64Array.from({ length: batch }, (_, i) => BigInt((i * 37) % classes));
  return new ort.Tensor("int64", numbers, [batch]);
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
