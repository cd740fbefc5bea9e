/** The blocked layout gives the gradients that the plain one gives, which other tests hold against the slopes. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { memoryHost } from "../../../compiler/host.js";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { tensor, value } from "../../../compiler/ir/build.js";
import { evaluate } from "../../../compiler/ir/dim.js";
import type { Attributes, Graph } from "../../../compiler/ir/types.js";
import { fillNormal, randomStream } from "../../../compiler/emit/random.js";
import { lowerGraph } from "../../../compiler/emit/lower.js";
import type { Model } from "../../../compiler/model.js";
import { LAYERS } from "../../../compiler/ops/index.js";
import { dropDeadCode } from "../../../compiler/passes/drop-dead-code.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { gainsByWinograd } from "../../../compiler/ops/blocked/winograd.js";
import { recorder } from "../../../compiler/ops/recorder.js";
import { blockLayout } from "../../../compiler/passes/block-layout.js";
import { machineBlockSize } from "../../../runtime/onnx/blocked-layout.js";
import { relativeError, runGraph, type Tensor } from "../emit/run.js";
import { layerGraph } from "../ops/graphs.js";
import { gradientGraph } from "../training/graphs.js";
import type { OracleNetwork } from "../training/networks.js";
import { openTraining } from "../training/session.js";

let block = 0;
beforeAll(async () => {
  block = await machineBlockSize();
});

function normal(shape: readonly number[], name: string): Tensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  fillNormal(data, 1, randomStream(name));
  return { shape, data };
}

const ops = (graph: Graph): ReadonlySet<string> => new Set(graph.nodes.map((node) => node.op));

/** Expects a layer and its gradients to be in blocks what they are in the plain layout; gives the graph in blocks. */
async function expectEqual(
  op: string,
  shape: readonly number[],
  attributes: Attributes,
  fill: (shape: readonly number[], name: string) => Tensor = normal,
): Promise<Graph> {
  const forward = layerGraph(op, [shape], attributes);
  const gradients = gradientGraph(forward);
  const outputs = [...gradients.outputs, { name: "y", value: forward.outputs[0]!.value }];
  const plain = dropDeadCode.run({ ...gradients, outputs }, {});
  const blocked = blockLayout(plain, block);
  const feeds = Object.fromEntries(
    plain.inputs.map(({ name, value }) => [
      name,
      fill(
        value.type.shape.map((dim) => evaluate(dim)),
        name,
      ),
    ]),
  );
  const [expected, given] = [await runGraph(plain, feeds), await runGraph(blocked, feeds)];
  expect(Object.keys(given)).toEqual(Object.keys(expected));
  for (const [name, made] of Object.entries(expected)) {
    expect(given[name]!.shape).toEqual(made.shape);
    expect(relativeError(given[name]!.data, made.data), name).toBeLessThan(1e-5);
  }
  return blocked;
}

describe("a convolution's gradients in blocks", () => {
  const side = fc.integer({ min: 1, max: 5 });
  const sample = fc
    .record({
      batch: fc.constantFrom(8, 16, 32),
      // 0: an image of three channels.
      inner: fc.integer({ min: 0, max: 3 }),
      outer: fc.integer({ min: 1, max: 5 }),
      kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      output: fc.tuple(side, side),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      rest: fc.nat({ max: 2 }),
    })
    .filter(({ kernel, stride, output, share, rest }) =>
      [0, 1].every((axis) => {
        const pad = Math.floor(share * (kernel[axis]! - 1));
        const size = stride[axis]! * (output[axis]! - 1) + kernel[axis]! - 2 * pad + Math.min(rest, stride[axis]! - 1);
        return size >= 1;
      }),
    );

  it("are those of the plain layout", async (context) => {
    if (block === 0) context.skip();
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(sample, async ({ batch, inner, outer, kernel, stride, output, share, rest }) => {
        const pad = kernel.map((size) => Math.floor(share * (size - 1)));
        const input = output.map(
          (size, axis) =>
            stride[axis]! * (size - 1) + kernel[axis]! - 2 * pad[axis]! + Math.min(rest, stride[axis]! - 1),
        );
        const shape = [batch, inner * block || 3, ...input];
        const blocked = await expectEqual("conv", shape, { kernel, stride, pad, channels: outer * block });
        ops(blocked).forEach((op) => seen.add(op));
      }),
      { numRuns: 60 },
    );
    expect([...seen]).toEqual(
      expect.arrayContaining(["blocked_conv", "blocked_conv_input_gradient", "blocked_conv_weight_gradient"]),
    );
  });
});

describe("3x3 convolutions of many channels", () => {
  const even = fc.integer({ min: 4, max: 8 }).map((half) => 2 * half);
  const channels = fc.integer({ min: 8, max: 10 });

  it("take fewer multiplications, and give what the plain layout gives", async (context) => {
    if (block === 0) context.skip();
    await fc.assert(
      fc.asyncProperty(fc.tuple(even, even), channels, channels, async (size, inner, outer) => {
        const given = [16, inner * 16, ...size];
        const blocked = await expectEqual("conv", given, {
          kernel: [3, 3],
          stride: [1, 1],
          pad: [1, 1],
          channels: outer * 16,
        });
        const { nodes } = lowerGraph(blocked, { opset: 17, sourceLine: () => "" });
        const products = nodes.filter(({ opType, attributes: { kernel_shape: kernel, group } }) => {
          return opType === "Conv" && group === 1 && JSON.stringify(kernel) === "[1,1]";
        });
        expect(products).toHaveLength(2 * 16);
      }),
      { numRuns: 8 },
    );
  });

  it("are as near to float64 as a float32 sum is", async (context) => {
    if (block === 0) context.skip();
    const [channels, side] = [128, 8];
    const attributes = { kernel: [3, 3], stride: [1, 1], pad: [1, 1], channels };
    const layer = layerGraph("conv", [[16, channels, side, side]], attributes);
    const parameters = layer.parameters.map(({ path, value: weight }) => ({ name: path, value: weight }));
    const graph = { ...layer, inputs: [...layer.inputs, ...parameters], parameters: [] };
    const shapes = graph.inputs.map(({ value: { type } }) => type.shape.map((dim) => evaluate(dim)));
    const [x, weight] = graph.inputs.map(({ name }, index) => normal(shapes[index]!, name)) as [Tensor, Tensor];
    const feeds = { [graph.inputs[0]!.name]: x, [graph.inputs[1]!.name]: weight };
    const y = Object.values(await runGraph(blockLayout(graph, block), feeds))[0]!;
    let [error, size] = [0, 0];
    // Some channels of the first image.
    for (let out = 0; out < channels; out += 16) {
      for (let pixel = 0; pixel < side * side; pixel += 1) {
        let exact = 0;
        for (let tap = 0; tap < 9; tap += 1) {
          const [row, column] = [Math.floor(pixel / side) + Math.floor(tap / 3) - 1, (pixel % side) + (tap % 3) - 1];
          if (Math.min(row, column) < 0 || Math.max(row, column) >= side) continue;
          for (let channel = 0; channel < channels; channel += 1) {
            const value = x.data[(channel * side + row) * side + column]!;
            exact += value * weight.data[(out * channels + channel) * 9 + tap]!;
          }
        }
        error += (y.data[out * side * side + pixel]! - exact) ** 2;
        size += exact ** 2;
      }
    }
    expect(Math.sqrt(error / size)).toBeLessThan(5e-7);
  });

  it("stay as they are where maps are odd, channels few, or pixels too few for what filters cost", () => {
    const shape = { batch: 16, channels: 128, out: 128, size: [8, 8], block: 16 } as const;
    expect(gainsByWinograd(shape)).toBe(true);
    const others = [{ size: [7, 8] }, { channels: 112 }, { out: 64 }, { batch: 8 }] as const;
    for (const other of others) expect(gainsByWinograd({ ...shape, ...other })).toBe(false);
  });
});

describe("a maximum pool's gradient in blocks", () => {
  const axis = fc
    .record({
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      share: fc.nat({ max: 2 }),
    })
    .chain(({ kernel, stride, share }) =>
      fc.record({
        kernel: fc.constant(kernel),
        stride: fc.constant(stride),
        pad: fc.constant(Math.min(share, kernel - 1)),
        size: fc.integer({ min: 1, max: 4 }).map((count) => count * stride),
      }),
    );

  it("goes to the first maximum of each window, whatever the sign and however many are as large", async (context) => {
    if (block === 0) context.skip();
    let inBlocks = 0;
    await fc.assert(
      fc.asyncProperty(axis, axis, fc.nat(), fc.boolean(), async (down, across, seed, ceil) => {
        fc.pre([down, across].every(({ kernel, pad, size }) => size + 2 * pad >= kernel));
        const pair = (name: "kernel" | "stride" | "pad"): number[] => [down[name], across[name]];
        const attributes = { kernel: pair("kernel"), stride: pair("stride"), pad: pair("pad"), ceil };
        const few = (shape: readonly number[]): Tensor => {
          const { data } = normal(shape, `x${seed}`);
          return { shape, data: data.map((each) => Math.round(each) - 1) };
        };
        const shape = [2, 2 * block, down.size, across.size];
        const blocked = await expectEqual("max_pool", shape, attributes, few);
        if (ops(blocked).has("blocked_max_pool_gradient")) inBlocks += 1;
      }),
      { numRuns: 150 },
    );
    expect(inBlocks).toBeGreaterThan(20);
  });
});

describe("layers that work value by value", () => {
  const layers = [...LAYERS.values()].filter(({ elementwise }) => elementwise);
  const given: Readonly<Record<string, Attributes>> = { dropout: { probability: 0.5 } };

  it("are all of the activations and the merges but concat", () => {
    const names = ["relu", "leaky_relu", "relu6", "sigmoid", "hard_sigmoid", "tanh", "silu", "gelu"];
    const merges = ["add", "multiply", "maximum", "average"];
    expect(layers.map(({ name }) => name)).toEqual(expect.arrayContaining([...names, ...merges]));
    expect(layers.map(({ name }) => name)).not.toContain("softmax");
  });

  it.each(layers)("$name and its gradient stay in blocks", ({ name, layer, gradient }) => {
    const shapes = layer!.merges ? [1, 2].map(() => [2, 16, 3, 3]) : [[2, 16, 3, 3]];
    const forward = layerGraph(name, shapes, given[name]);
    const [node] = forward.nodes;
    const dy = value(tensor([2, 16, 3, 3]), "dy");
    const record = recorder({ path: name });
    if (typeof gradient !== "function") throw new TypeError(`${name} has no gradient`);
    const gradients = gradient(node!, [dy], record);
    const graph: Graph = {
      ...forward,
      inputs: [...forward.inputs, { name: "dy", value: dy }],
      constants: record.constants,
      nodes: [node!, ...record.nodes],
      outputs: [...forward.outputs, ...gradients.map((each, index) => ({ name: `dx${index}`, value: each! }))],
    };
    const blocked = blockLayout(graph, 8, { isBlocked: () => true });
    expect(blocked.nodes.map((each) => each.op)).toEqual(graph.nodes.map((each) => each.op));
  });
});

const source = (stages: string): string => `import { basic, bottleneck, preactivation } from "std/blocks"
import { zero_padding, projection_on_change } from "std/shortcuts"
${stages}`;

/** Every shortcut, a pool, an odd size, batch norms with and without a rectifier, and one with a sum after it. */
const NETWORKS: Readonly<Record<string, string>> = {
  basic: source(`network Small {
  input image 3x24x24
  shortcuts projection_on_change
  stage conv1 { conv 7x7, 16, /2   bn   relu   max_pool 3x3, /2 }
  stage conv2 { basic(16) x 2 }
  stage conv3 /2 { basic(32) x 2 }
  head { global_avg_pool   fc 7   softmax }
}`),
  zero_padding: source(`network Small {
  input image 3x16x16
  shortcuts zero_padding
  stage conv1 { conv 3x3, 16   bn   relu }
  stage conv2 { basic(16) }
  stage conv3 /2 { basic(32) x 2 }
  head { global_avg_pool   fc 7   softmax }
}`),
  bottleneck: source(`network Small {
  input image 3x21x21
  shortcuts projection_on_change
  stage conv1 { conv 3x3, 16   bn   relu }
  stage conv2 { bottleneck(16) x 2 }
  stage conv3 /2 { bottleneck(16) }
  head { global_avg_pool   fc 7   softmax }
}`),
  preactivation: source(`network Small {
  input image 3x12x12
  shortcuts projection_on_change
  stage conv1 { conv 3x3, 16   bn   relu }
  stage conv2 { preactivation(16) x 2 }
  stage conv3 /2 { preactivation(32) }
  head { bn relu global_avg_pool   fc 7   softmax }
}`),
};

function modelOf(text: string): Model {
  const { model, diagnostics } = elaborate(parseTarget("small.resnet"), { host: memoryHost({ "small.resnet": text }) });
  if (model) return model;
  throw new Error(diagnostics.map((each) => each.message).join("; "));
}

describe("whole networks in blocks", () => {
  it.each(Object.keys(NETWORKS))("%s", async (name) => {
    if (block === 0) return;
    const model = modelOf(NETWORKS[name]!);
    const [, , height, width] = model.graph.inputs[0]!.value.type.shape as readonly number[];
    const network: OracleNetwork = { target: "small.resnet", image: [16, 3, height!, width!] };
    const options = { batch: 16, optimizer: { kind: "sgd" } } as const;
    const results = [];
    for (const blockSize of [0, block]) {
      const training = await openTraining(buildTraining(model, { ...options, blockSize }).gradients, network);
      results.push(await training.run(0));
      await training.close();
    }
    const [expected, given] = results as [Record<string, Float32Array>, Record<string, Float32Array>];
    expect(Object.keys(given)).toEqual(Object.keys(expected));
    for (const [output, values] of Object.entries(expected)) {
      // A bias before a batch norm has no gradient at all: what is left there is rounding, and no more than that.
      expect(relativeError(given[output]!, values, 1e-2), output).toBeLessThan(1e-4);
    }
  });
});

describe("whole networks with fixed batch norms", () => {
  it.each(Object.keys(NETWORKS))("%s: become part of the layers before them, in blocks or not", async (name) => {
    const model = modelOf(NETWORKS[name]!);
    const [, , height, width] = model.graph.inputs[0]!.value.type.shape as readonly number[];
    const network: OracleNetwork = { target: "small.resnet", image: [16, 3, height!, width!] };
    const options = { batch: 16, optimizer: { kind: "sgd" }, frozenBatchNorm: true, frozenStages: ["conv1"] } as const;
    // As it is written for another device they stay; the processor runs that too.
    const ways = [{ device: "webgpu" }, { blockSize: 0 }, ...(block > 0 ? [{ blockSize: block }] : [])] as const;
    const results: Record<string, Float32Array>[] = [];
    const norms: number[] = [];
    for (const way of ways) {
      const { gradients } = buildTraining(model, { ...options, ...way });
      norms.push(gradients.graph.nodes.filter(({ op }) => op === "bn").length);
      const training = await openTraining(gradients, network);
      results.push(await training.run(0));
      await training.close();
    }
    // A pre-activation's first norm stands behind a sum, and so does the one of the head.
    const behindSums = name === "preactivation" ? 4 : 0;
    expect(norms[0]).toBeGreaterThan(behindSums);
    expect(norms.slice(1)).toEqual(norms.slice(1).map(() => behindSums));
    const [expected, ...others] = results;
    for (const given of others) {
      expect(Object.keys(given)).toEqual(Object.keys(expected!));
      for (const [output, values] of Object.entries(expected!)) {
        expect(relativeError(given[output]!, values, 1e-2), output).toBeLessThan(1e-5);
      }
    }
  });
});
