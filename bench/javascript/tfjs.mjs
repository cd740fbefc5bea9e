/** ResNet-20 in TensorFlow.js: on WebAssembly what that has kernels for, the rest in plain JavaScript. */
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { resnet20 } from "./resnet20.mjs";

const EPSILON = 1e-5;
const [MOMENTUM, DECAY] = [0.9, 1e-4];

/** Images are in rows, columns, channels here, and kernels in rows, columns, channels in, channels out. */
function operators(parameters, isTraining) {
  return {
    weight: (path) => parameters[path],
    twice: (x) => x,
    conv: (x, weight, stride) => tf.conv2d(x, weight, stride, 1),
    norm(x, path) {
      const { mean, variance } = isTraining
        ? tf.moments(x, [0, 1, 2])
        : { mean: parameters[`${path}.running_mean`], variance: parameters[`${path}.running_var`] };
      const scale = parameters[`${path}.weight`].div(variance.add(EPSILON).sqrt());
      return x.sub(mean).mul(scale).add(parameters[`${path}.bias`]);
    },
    relu: tf.relu,
    add: tf.add,
    shortcut(x, channels) {
      const [images, height, width, given] = x.shape;
      const pairs = x.reshape([images, height / 2, 2, width / 2, 2 * given]);
      const first = pairs.slice([0, 0, 0, 0, 0], [images, height / 2, 1, width / 2, given]);
      const border = [0, 0];
      return first.reshape([images, height / 2, width / 2, given]).pad([border, border, border, [0, channels - given]]);
    },
    dense: (x, path) =>
      x.mean([1, 2]).matMul(parameters[`${path}.weight`], false, true).add(parameters[`${path}.bias`]),
  };
}

export async function open({ backend, values, shapes, pixels, labels, batch, classes, rate, threads }) {
  if (backend === "wasm") {
    const require = createRequire(import.meta.url);
    setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist/"));
    setThreadsCount(threads);
  }
  await tf.setBackend(backend);
  await tf.ready();
  const parameters = {};
  const momenta = {};
  for (const [path, data] of Object.entries(values)) {
    const given = tf.tensor(data, shapes[path]);
    const isLearned = !path.includes("running_");
    parameters[path] = tf.variable(
      shapes[path].length === 4 ? given.transpose([2, 3, 1, 0]) : given,
      isLearned,
      `${backend}/${path}`,
    );
    if (isLearned) momenta[path] = tf.variable(tf.zerosLike(parameters[path]));
  }
  const image = tf.tensor(pixels, [batch, 3, 32, 32]).transpose([0, 2, 3, 1]);
  const truth = tf.oneHot(tf.tensor1d(labels, "int32"), classes).toFloat();
  const loss = () =>
    resnet20(operators(parameters, true), image)
      .logSoftmax()
      .mul(truth)
      .sum()
      .mul(-1 / batch);
  return {
    async infer() {
      await tf.setBackend(backend);
      const made = tf.tidy(() => resnet20(operators(parameters, false), image));
      const data = await made.data();
      made.dispose();
      return data;
    },
    async step() {
      await tf.setBackend(backend);
      const value = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(loss);
        for (const [path, momentum] of Object.entries(momenta)) {
          const parameter = parameters[path];
          const gradient = grads[`${backend}/${path}`].add(parameter.mul(DECAY));
          momentum.assign(momentum.mul(MOMENTUM).add(gradient));
          parameter.assign(parameter.sub(momentum.mul(rate)));
        }
        return value;
      });
      const told = await value.data();
      value.dispose();
      return told;
    },
  };
}
