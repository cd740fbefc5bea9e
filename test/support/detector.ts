/** A detector built by hand whose answer can be told in the head. */
import { onnxModel, type ModelText, type NodeText } from "./onnx.js";

/** Columns of image_info. */
const [HEIGHT, ORIGINAL_HEIGHT, ORIGINAL_WIDTH] = [0, 2, 3];

/** A matrix that picks columns out of image_info; -1 gives zeros. */
function picks(columns: readonly number[]): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const data = new Float32Array(6 * columns.length);
  columns.forEach((column, to) => column >= 0 && (data[column * columns.length + to] = 1));
  return { shape: [6, columns.length], data };
}

const NODES: readonly NodeText[] = [
  { op: "MatMul", inputs: ["image_info", "corners"], outputs: ["all_boxes"] },
  { op: "ReduceMax", inputs: ["image"], outputs: ["colours"], ints: { axes: [2, 3], keepdims: 0 } },
  { op: "ReduceMax", inputs: ["colours"], outputs: ["all_scores"], ints: { axes: [1], keepdims: 0 } },
  { op: "ArgMax", inputs: ["colours"], outputs: ["all_labels"], ints: { axis: 1, keepdims: 0 } },
  { op: "MatMul", inputs: ["image_info", "heights"], outputs: ["rows"] },
  { op: "NonZero", inputs: ["rows"], outputs: ["places"] },
  { op: "Gather", inputs: ["places", "zero"], outputs: ["all_images"], ints: { axis: 0 } },
  { op: "Greater", inputs: ["all_scores", "least"], outputs: ["keep"] },
  ...["boxes", "scores", "labels", "images"].map((name) => ({
    op: "Compress",
    inputs: [`all_${name}`, "keep"],
    outputs: [name],
    ints: { axis: 0 },
  })),
];

/**
 * Finds in each image itself: a box from 0, 0 to its width and height, the class of its brightest colour (0 red, 1
 * green, 2 blue), and as score that brightness; nothing where it is 0.2 or less.
 */
export function wholeImage(changes: Partial<ModelText> = {}): Uint8Array {
  return onnxModel({
    nodes: NODES,
    inputs: { image: ["N", 3, "H", "W"], image_info: ["M", 6] },
    outputs: { boxes: ["D", 4], scores: ["D"], labels: ["D"], images: ["D"] },
    whole: ["labels", "images"],
    ...changes,
    constants: {
      corners: picks([-1, -1, ORIGINAL_WIDTH, ORIGINAL_HEIGHT]),
      heights: picks([HEIGHT]),
      zero: { shape: [], data: BigInt64Array.of(0n) },
      least: { shape: [], data: Float32Array.of(0.2) },
      ...changes.constants,
    },
  });
}

/** {@link wholeImage} with a mask for each: of this grid, a row of places after the other. */
export function wholeImageWithMasks(
  grid: readonly (readonly number[])[],
  changes: Partial<ModelText> = {},
): Uint8Array {
  const [height, width] = [grid.length, grid[0]!.length];
  const sides = [height, width].map((side) => BigInt(side));
  return wholeImage({
    ...changes,
    nodes: [
      ...NODES,
      { op: "Shape", inputs: ["scores"], outputs: ["found"] },
      { op: "Concat", inputs: ["found", "sides"], outputs: ["masks_shape"], ints: { axis: 0 } },
      { op: "Expand", inputs: ["grid", "masks_shape"], outputs: ["masks"] },
    ],
    outputs: { boxes: ["D", 4], scores: ["D"], labels: ["D"], images: ["D"], masks: ["D", height, width] },
    constants: {
      sides: { shape: [2], data: BigInt64Array.from(sides) },
      grid: { shape: [1, height, width], data: Float32Array.from(grid.flat()) },
      ...changes.constants,
    },
  });
}

/** The nodes of {@link wholeImage}, one of which is replaced by another that gives the same output; `before` come first. */
export function nodesWith(node: NodeText, before: readonly NodeText[] = []): readonly NodeText[] {
  return [...before, ...NODES.map((each) => (each.outputs[0] === node.outputs[0] ? node : each))];
}
