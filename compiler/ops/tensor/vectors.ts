/** Many tensors as one vector, each behind the one before: what a GPU is given of a training's state, and gives of gradients. */
import type { Device } from "../../device.js";
import type { Attributes, Value } from "../../ir/types.js";
import { int } from "../attributes.js";
import { elements, sizes } from "../formula.js";
import type { Lowering } from "../lowering.js";
import { ShapeError, type Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { ints } from "./shape.js";

/**
 * Parts that one ONNX operator makes of a vector on a device; 0: all. WebGPU promises a kernel eight tensors, of which the vector
 * is one.
 */
export const MOST_PARTS: Readonly<Record<Device, number>> = { cpu: 0, cuda: 0, webgpu: 7 };

/** Shapes as an attribute: how many lengths each has, and all lengths. */
export function shapesAttribute(shapes: readonly (readonly number[])[]): Attributes {
  return { ranks: shapes.map((shape) => shape.length), lengths: shapes.flat() };
}

function shapesIn(attributes: Attributes): readonly (readonly number[])[] {
  const lengths = ints(attributes, "lengths");
  let at = 0;
  return ints(attributes, "ranks").map((rank) => lengths.slice(at, (at += rank)));
}

const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

/** Tensors of any shapes to a vector. */
const pack: Operator = {
  name: "pack",
  doc: "All values of some tensors, one tensor behind the other.",
  infer(inputs) {
    const [first] = inputs;
    const total = inputs.reduce((sum, { shape }) => sum + product(shape as readonly number[]), 0);
    return [reshaped(first, [total])];
  },
  lower(node, emit) {
    const rows = node.inputs.map((input, index) => {
      if (input.type.shape.length === 1) return emit.name(input);
      const row = emit.temporary(`row${index}`);
      emit.node("Reshape", [emit.name(input), emit.constant([elements(input)], "int64")], [row]);
      return row;
    });
    emit.node("Concat", rows, [emit.name(node.outputs[0]!)], { axis: 0 });
  },
  gradient: "none",
};

/**
 * A vector to the tensors that it holds, of shapes `ranks` and `lengths`. `most`: the parts that one ONNX operator makes; 0:
 * all of them. WebGPU promises a kernel no more than eight tensors.
 */
const unpack: Operator = {
  name: "unpack",
  doc: "The tensors that a vector holds, one behind the other.",
  infer([vector], attributes) {
    const shapes = shapesIn(attributes);
    const total = shapes.reduce((sum, shape) => sum + product(shape), 0);
    if (known(vector).shape[0] !== total) throw new ShapeError(`unpack: ${total} values of a vector of others`);
    return shapes.map((shape) => reshaped(vector, shape));
  },
  lower(node, emit) {
    const most = int(node.attributes, "most");
    writeParts(emit.name(node.inputs[0]!), node.outputs, most === 0 ? node.outputs.length : most, emit);
  },
  gradient: "none",
};

/** The operators on vectors of many tensors. */
export const VECTOR_OPERATORS: readonly Operator[] = [pack, unpack];

/** Parts of parts, where there are more than one operator makes. */
function writeParts(vector: string, parts: readonly Value[], most: number, emit: Lowering): void {
  let each = 1;
  while (parts.length > most * each) each *= most;
  const groups = Array.from({ length: Math.ceil(parts.length / each) }, (_, at) =>
    parts.slice(at * each, (at + 1) * each),
  );
  const made = groups.map((group) => {
    const [only] = group;
    const isDone = group.length === 1 && only!.type.shape.length === 1;
    return isDone ? emit.name(only!) : emit.temporary(only!.name);
  });
  const lengths = groups.map((group) => group.reduce((sum, part) => sum + elements(part), 0));
  emit.node("Split", [vector, emit.constant(lengths, "int64")], made, { axis: 0 });
  for (const [at, group] of groups.entries()) {
    const [only] = group;
    if (group.length > 1) writeParts(made[at]!, group, most, emit);
    else if (only!.type.shape.length !== 1) {
      emit.node("Reshape", [made[at]!, emit.constant(sizes(only!), "int64")], [emit.name(only!)]);
    }
  }
}
