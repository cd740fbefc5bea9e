/**
 * The blocked layout of ONNX Runtime's fast convolutions on the processor: [N, C, H, W] in memory as
 * [N, C / block, H, W, block], so that one vector instruction works on a block of channels. The type of a blocked value
 * stays [N, C, H, W], as ONNX Runtime's own; C is a multiple of the block. Operators that work value by value take
 * blocked tensors as they take others. The block is 16 with AVX-512 and 8 with AVX2.
 */
import { sizes } from "../formula.js";
import type { Operator } from "../operator.js";
import { known } from "../shapes.js";
import { inputNames, steps } from "./steps.js";

export const toBlocks: Operator = {
  name: "to_blocks",
  doc: "A map in the blocked layout.",
  infer: ([x]) => [known(x)],
  lower(node, emit) {
    steps(emit).blocked("ReorderInput", inputNames(node, emit), {}, emit.name(node.outputs[0]!));
  },
};

export const fromBlocks: Operator = {
  name: "from_blocks",
  doc: "A blocked map in the usual layout.",
  infer: ([x]) => [known(x)],
  lower(node, emit) {
    const channels = sizes(node.inputs[0]!)[1]!;
    steps(emit).blocked("ReorderOutput", inputNames(node, emit), { channels }, emit.name(node.outputs[0]!));
  },
};
