/** What the crops share: where the middle of a map begins, and the way back. */
import { bounds, formatDim, sub, type Dim } from "../ir/dim.js";
import type { Node, Value } from "../ir/types.js";
import { sizes } from "./formula.js";
import type { Lowering } from "./lowering.js";
import { ShapeError, type GraphBuilder } from "./operator.js";
import type { FeatureMap } from "./shapes.js";
import { writer } from "./write.js";

/** Throws a ShapeError where the map can't be as large as what is to be cut out of it. */
export function requireFits(map: FeatureMap, size: readonly [Dim, Dim], layer: string): void {
  const fits = ([map.height, map.width] as const).every((side, axis) => bounds(sub(side, size[axis]!)).max >= 0);
  if (fits) return;
  const wanted = size.map(formatDim).join("x");
  throw new ShapeError(
    `${layer}: ${wanted} does not fit into ${formatDim(map.height)}x${formatDim(map.width)}`,
    "a map is enlarged by `upsample`, `resize_like` or `pad`",
  );
}

/** Writes the node: a Slice of height and width, the size that of the second input, or the output's own. */
export function writeCrop(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const [x, like] = node.inputs as readonly [Value, Value?];
  const [given, kept] = [x.type.shape.slice(2), node.outputs[0]!.type.shape.slice(2)];
  const axes = w.ints(2, 3);
  if ([...given, ...kept].every((dim) => typeof dim === "number")) {
    const from = starts(given as readonly number[], kept as readonly number[]);
    const to = from.map((start, axis) => start + (kept[axis] as number));
    return w.give("Slice", [w.inputs[0]!, w.ints(...from), w.ints(...to), axes]);
  }
  const sides = (of: Value): string => w.concat([w.size(of, 2), w.size(of, 3)], 0, "sides");
  const whole = sides(x);
  const size = like === undefined ? w.ints(...(kept as readonly number[])) : sides(like);
  const from = w.step("Div", [w.step("Sub", [whole, size], "rest"), w.ints(2)], "from");
  w.give("Slice", [w.inputs[0]!, from, w.step("Add", [from, size], "to"), axes]);
}

/** Zeros where x was cut off. */
export function cropGradient(node: Node, dy: Value, builder: GraphBuilder): Value {
  const [given, kept] = [sizes(node.inputs[0]!), sizes(dy)];
  const before = starts(given, kept);
  const after = given.map((size, axis) => size - kept[axis]! - before[axis]!);
  return builder.apply("pad_axes", [dy], { before, after })[0]!;
}

function starts(given: readonly number[], kept: readonly number[]): number[] {
  return given.map((size, axis) => Math.floor((size - kept[axis]!) / 2));
}
