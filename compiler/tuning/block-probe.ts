/** A convolution by which a machine shows whether it has a blocked layout. */
import { tensor, value } from "../ir/build.js";
import type { Graph, Value } from "../ir/types.js";
import { node } from "../ops/node.js";
import { DEVICE_PASSES, runPasses } from "../passes/index.js";

/** Blocks that ONNX Runtime has code for: AVX-512's and AVX2's. */
export const BLOCKS = [16, 8] as const;

/** Channels and pixels: several blocks of either size. */
const CHANNELS = 32;
const SIZE = 4;

export interface BlockProbe {
  readonly plain: Graph;
  /** The same in blocks of so many channels: where the machine has others, it computes something else altogether. */
  blocked(block: number): Graph;
  /** Of the inputs, by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

export function blockProbe(): BlockProbe {
  const shapes = { x: [1, CHANNELS, SIZE, SIZE], w: [CHANNELS, CHANNELS, 3, 3] };
  const [x, w] = [value(tensor(shapes.x), "x"), value(tensor(shapes.w), "w")];
  const span = { file: "", start: 0, end: 0 };
  const made = node("conv", [x, w], { kernel: [3, 3], channels: CHANNELS }, "conv", span);
  const named = (name: string, each: Value) => ({ name, value: each });
  const plain: Graph = {
    name: "probe",
    inputs: [named("x", x), named("w", w)],
    outputs: [named("y", made.outputs[0]!)],
    parameters: [],
    constants: [],
    nodes: [made],
  };
  return { plain, shapes, blocked: (block) => runPasses(DEVICE_PASSES, plain, { device: "cpu", block }) };
}
