/** ResNet-20 in jax-js, compiled by its `jit`, on WebAssembly with as many threads as there are cores. */
import { defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { resnet20 } from "./resnet20.mjs";

const EPSILON = 1e-5;
const [MOMENTUM, DECAY] = [0.9, 1e-4];

/** Arrays are freed when they have been read as often as they were counted: `ref` counts one more. */
function operators(parameters, isTraining) {
  const read = (path) => parameters[path].ref;
  const wide = (path) => read(path).reshape([1, -1, 1, 1]);
  return {
    weight: read,
    twice: (x) => x.ref,
    conv: (x, weight, stride) =>
      lax.convGeneralDilated(
        x,
        weight,
        [stride, stride],
        [
          [1, 1],
          [1, 1],
        ],
      ),
    norm(x, path) {
      const mean = isTraining ? x.ref.mean([0, 2, 3], { keepdims: true }) : wide(`${path}.running_mean`);
      const centred = x.sub(mean);
      const variance = isTraining
        ? np.square(centred.ref).mean([0, 2, 3], { keepdims: true })
        : wide(`${path}.running_var`);
      const scale = wide(`${path}.weight`).div(np.sqrt(variance.add(EPSILON)));
      return centred.mul(scale).add(wide(`${path}.bias`));
    },
    relu: nn.relu,
    add: (a, b) => a.add(b),
    shortcut(x, channels) {
      const [images, given, height, width] = x.shape;
      const pairs = x.reshape([images, given, height / 2, 2, width / 2, 2]);
      return np.pad(pairs.slice([], [], [], 0, [], 0), [
        [0, 0],
        [0, channels - given],
        [0, 0],
        [0, 0],
      ]);
    },
    dense: (x, path) => np.matmul(x.mean([2, 3]), read(`${path}.weight`).transpose()).add(read(`${path}.bias`)),
  };
}

export async function open({ values, shapes, pixels, labels, batch, classes, rate }) {
  await init("wasm");
  defaultDevice("wasm");
  const array = (data, shape) => np.array(data).reshape(shape);
  const all = Object.fromEntries(Object.keys(values).map((path) => [path, array(values[path], shapes[path])]));
  const paths = Object.keys(values).filter((path) => !path.includes("running_"));
  let parameters = Object.fromEntries(paths.map((path) => [path, all[path]]));
  let momenta = Object.fromEntries(paths.map((path) => [path, np.zeros(shapes[path])]));
  const image = array(pixels, [batch, 3, 32, 32]);
  const truth = array(
    Float32Array.from(labels.flatMap((label) => [...Array(classes).keys()].map((at) => +(at === label)))),
    [batch, classes],
  );
  const dispose = (tree) => Object.values(tree).forEach((each) => each.dispose());

  const logits = jit((parameters, image) => {
    const made = resnet20(operators(parameters, false), image);
    dispose(parameters);
    return made;
  });
  const loss = (parameters, image, truth) => {
    const made = nn
      .logSoftmax(resnet20(operators(parameters, true), image))
      .mul(truth)
      .sum()
      .mul(-1 / batch);
    dispose(parameters);
    return made;
  };
  const update = jit((parameters, momenta, image, truth) => {
    const [value, gradients] = valueAndGrad(loss)(
      Object.fromEntries(paths.map((path) => [path, parameters[path].ref])),
      image,
      truth,
    );
    const next = {};
    const moving = {};
    for (const path of paths) {
      const gradient = gradients[path].add(parameters[path].ref.mul(DECAY));
      moving[path] = momenta[path].mul(MOMENTUM).add(gradient);
      next[path] = parameters[path].sub(moving[path].ref.mul(rate));
    }
    return [value, next, moving];
  });

  const refs = (tree) => Object.fromEntries(Object.entries(tree).map(([path, each]) => [path, each.ref]));
  return {
    infer: async () => logits(refs({ ...all, ...parameters }), image.ref).data(),
    async step() {
      const [value, next, moving] = update(parameters, momenta, image.ref, truth.ref);
      [parameters, momenta] = [next, moving];
      const told = await value.data();
      // What the loss does not need is computed as well before the time is taken.
      await Promise.all(Object.values(parameters).map((each) => each.ref.data()));
      return told;
    },
  };
}
