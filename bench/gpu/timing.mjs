/** Networks of ours timed on a GPU: inference, training, the time by kind of operator, and what the card could do. */
import { compile } from "../../dist/compiler/index.js";
import { loadRuntime } from "../../dist/runtime/onnx/onnxruntime.js";
import { byOperator, profiled, total, VIEWS } from "../kernels.mjs";
import { median } from "../median.mjs";
import { NETWORKS, openStep, pixelsOf } from "../our-step.mjs";

/** Of a whole size, and of one for an adapter in software, where that comes to an end. */
const SIZES = {
  cifar20: { batch: 128, quick: { batch: 4 } },
  resnet50: { batch: 32, quick: undefined },
  fpn: { batch: 2, quick: undefined },
};
const SHOWN = 10;
const size = (shape) => shape.reduce((all, length) => all * length, 1);

export function networkOf(name, quick) {
  const { batch, quick: small } = SIZES[name];
  return quick ? small && { ...NETWORKS[name], ...small } : { ...NETWORKS[name], batch };
}

/** Images a second of the median run, after as many runs that warm up. */
async function rate(run, images, rounds) {
  const times = [];
  for (let round = -2; round < rounds; round++) {
    const before = performance.now();
    await run();
    if (round >= 0) times.push(performance.now() - before);
  }
  return (1000 * images) / median(times);
}

export async function inferenceRate(device, name, precision, { quick, rounds }) {
  const { target, batch, size: side } = networkOf(name, quick);
  const { onnx, diagnostics } = compile(
    { files: {}, entry: target },
    { seed: 0, device, precision, batch, input: [3, side, side] },
  );
  if (!onnx) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  const ort = await loadRuntime();
  const session = await ort.InferenceSession.create(onnx, { executionProviders: [device], logSeverityLevel: 4 });
  const shape = [batch, 3, side, side];
  const image = new ort.Tensor("float32", pixelsOf(shape), shape);
  try {
    return await rate(() => session.run({ [session.inputNames[0]]: image }), batch, rounds);
  } finally {
    await session.release();
  }
}

/** An image of 800 pixels on its shorter side, as torchvision scales them. */
export async function detectionRate(device, { quick, rounds }) {
  const [height, width] = quick ? [96, 128] : [800, 1066];
  const { onnx, diagnostics } = compile({ files: {}, entry: "FasterRCNN_ResNet50_FPN" }, { seed: 0, device, batch: 1 });
  if (!onnx) throw new Error(diagnostics.map(({ message }) => message).join("; "));
  const ort = await loadRuntime();
  const session = await ort.InferenceSession.create(onnx, { executionProviders: [device], logSeverityLevel: 4 });
  const tensor = (data, shape) => new ort.Tensor("float32", data, shape);
  const feeds = {
    image: tensor(pixelsOf([1, 3, height, width]), [1, 3, height, width]),
    image_info: tensor(Float32Array.of(height, width, height, width, 1, 1), [1, 6]),
  };
  const given = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]));
  try {
    return await rate(() => session.run(given), 1, rounds);
  } finally {
    await session.release();
  }
}

export async function trainingRate(device, name, precision, { quick, rounds }) {
  const network = networkOf(name, quick);
  const step = await openStep(network, { device, precision, session: { logSeverityLevel: 4 } });
  try {
    return await rate(() => step.step(), network.batch, rounds);
  } finally {
    await step.close();
  }
}

/** Lines: the time of a training step by kind of operator, with what each reaches beside the card's peaks. */
export async function operatorTimes(device, name, peaks, { quick }) {
  const kernels = await profiled(async (session) => {
    const step = await openStep(networkOf(name, quick), { device, session });
    for (let made = 0; made < 4; made++) await step.step();
    step.endProfiling();
    await step.close();
  });
  const own = kernels.slice((3 * kernels.length) / 4);
  const all = total(own, "seconds");
  const programs = total(own, "programs");
  const views = own.filter(({ op }) => VIEWS.has(op)).length;
  const kinds = [...byOperator(own)].sort((a, b) => total(b[1], "seconds") - total(a[1], "seconds"));
  const line = ([op, list]) => {
    const seconds = total(list, "seconds");
    const share = (field, peak, unit, by) => {
      const reached = total(list, field) / seconds;
      return reached === 0 ? "" : `${(reached / by).toFixed(1)} ${unit} (${((100 * reached) / peak).toFixed(0)} %)`;
    };
    return (
      `    ${op.padEnd(20)}${`${((100 * seconds) / all).toFixed(1)} %`.padStart(8)}${String(list.length).padStart(6)}` +
      share("flops", peaks.flops, "GFLOP/s", 1e9).padStart(24) +
      share("bytes", peaks.bytes, "GB/s", 1e9).padStart(22)
    );
  };
  return [
    `  ${name}: a step has ${own.length} kernels, ${views} of them views` +
      `${programs > 0 ? `, and ${programs} programs` : ""}; ${(1000 * all).toFixed(1)} ms in kernels, ` +
      `${(total(own, "bytes") / 1e9).toFixed(2)} GB, ${(total(own, "flops") / 1e9).toFixed(1)} GFLOP`,
    ...kinds.slice(0, SHOWN).map(line),
    ...(kinds.length > SHOWN ? [line(["others", kinds.slice(SHOWN).flatMap(([, list]) => list)])] : []),
  ];
}

/** FLOP/s of a product of matrices, bytes/s of a sum of arrays, as ONNX Runtime reaches them. */
export async function peaksOf(device, quick) {
  const [side, channels] = quick ? [256, 1] : [4096, 64];
  const probes = {
    flops: [`network Product { input image ${side}x1x1   flatten   fc ${side} }`, [side, side, 1, 1], 2 * side ** 3],
    bytes: [
      `network Sum { input image ${channels}x1024x1024   residual { relu } }`,
      [1, channels, 1024, 1024],
      3 * 4 * channels * 1024 * 1024,
    ],
  };
  const ort = await loadRuntime();
  const found = {};
  for (const [name, [source, shape, work]] of Object.entries(probes)) {
    const network = source.split(" ")[1];
    const { onnx } = compile({ files: { "probe.resnet": source }, entry: `probe.resnet#${network}` }, { seed: 0 });
    const kernels = await profiled(async (more) => {
      const session = await ort.InferenceSession.create(onnx, { executionProviders: [device], ...more });
      const image = new ort.Tensor("float32", new Float32Array(size(shape)).fill(0.5), shape);
      for (let made = 0; made < 5; made++) await session.run({ [session.inputNames[0]]: image });
      session.endProfiling();
      await session.release();
    });
    const wanted = kernels.filter(({ op }) => (name === "flops" ? op === "Gemm" : op === "Add"));
    found[name] = Math.max(...wanted.map(({ seconds }) => work / seconds));
  }
  return found;
}
