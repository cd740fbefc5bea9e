/**
 * Regions: float32 [R, 5], the row of the image in the batch and a box in its coordinates, so that all images'
 * regions are rows of one tensor, however many each has.
 */
import { add, formatShape, unknownSize, type Dim } from "../../ir/dim.js";
import type { TensorType } from "../../ir/types.js";
import { int } from "../attributes.js";
import { sizes } from "../formula.js";
import { ShapeError, type Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { writeSizes } from "./boxes.js";
import { floats, forms, type Form } from "./forms.js";
import { integer, tensor, tensors } from "../../words/schema.js";
import { INCLUSIVE } from "./arguments.js";
import { writer, type Writer } from "../write.js";

/** The region without area that stands for none at all, of the first image. */
export const NO_REGION: readonly number[] = [0, 0, 0, -1, -1];

/** The images of regions as indices: int32 [R], which WebGPU has, or int64, which some operators insist on. */
export function writeImages(w: Writer, regions: string, dtype: "int32" | "int64"): string {
  return w.cast(w.column(regions, 0, "image"), dtype, "images");
}

/** regions [R, 5] to [R, 1, 4]: their boxes, to broadcast over classes. */
const regionBoxes: Operator = {
  name: "region_boxes",
  doc: "The boxes of regions, for every class alike.",
  layer: { arguments: {} },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[rows]] = forms("region_boxes", { regions: ["R", 5] }, inputs) as [readonly Dim[]];
    return [floats(rows!, 1, 4)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    w.give("Unsqueeze", [w.slice(w.inputs[0]!, 1, 1, 5, "boxes"), w.ints(1)]);
  },
};

/** regions [R, 5], boxes [R, 4] to [R, 5]: the same images, other boxes. A region without area stays as it is. */
const withBoxes: Operator = {
  name: "with_boxes",
  doc: "Regions with other boxes.",
  layer: { arguments: { boxes: tensor("A box for each region that arrives."), inclusive: INCLUSIVE } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[rows]] = forms("with_boxes", { regions: ["R", 5], boxes: ["R", 4] }, inputs) as [readonly Dim[]];
    return [floats(rows!, 5)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [regions, boxes] = w.inputs as readonly [string, string];
    const own = w.slice(regions, 1, 1, 5, "own");
    const side = w.reduce("Min", writeSizes(w, own, node.attributes), [1], "side", true);
    const kept = w.step("Where", [w.step("Greater", [side, w.number(0)], "real"), boxes, own], "boxes");
    w.give("Concat", [w.slice(regions, 1, 0, 1, "image"), kept], { axis: 1 });
  },
};

/** boxes [D, 4], the rows of their images int64 [D], to regions [R, 5]: where D is 0 one without area (see `top_regions`). */
const asRegions: Operator = {
  name: "as_regions",
  doc: "Boxes as regions of their images.",
  layer: { arguments: { images: tensor("The row of the batch that each box is of.") } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[rows]] = forms("as_regions", { boxes: ["D", 4], images: ["D"] }, inputs) as [readonly Dim[]];
    return [floats(unknownSize("R", add(rows!, 1)), 5)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const image = w.unsqueeze(w.cast(w.inputs[1]!, "float32", "images"), [1], "images.column");
    const own = w.concat([image, w.inputs[0]!], 1, "own");
    const count = w.step("Max", [w.size(node.inputs[0]!, 0), w.ints(1)], "count");
    const all = w.concat([own, w.numbers(NO_REGION, [1, 5])], 0, "all");
    w.give("Slice", [all, w.ints(0), count, w.ints(0)]);
  },
};

/** x [N, ...], regions [R, 5] (or picks int64 [D, 3], or images int64 [D]) to [R, ...]: the row of each one's image. */
const rowsOfImage: Operator = {
  name: "rows_of_image",
  doc: "For each region the row of its image.",
  layer: { arguments: { regions: tensor("Regions or picks, or the rows of images themselves.") } },
  fullPrecision: true,
  gradient({ inputs: [x, regions] }, [dy], builder) {
    if (dy === undefined) return [];
    return builder.apply("sum_of_images", [dy, regions!], { images: sizes(x!)[0]! });
  },
  infer(inputs) {
    const { dtype, shape } = known(inputs[1]);
    const [what, form]: [string, Form] =
      dtype !== "int64" ? ["regions", ["R", 5]] : shape.length === 1 ? ["images", ["D"]] : ["picks", ["D", 3]];
    const [, [rows]] = forms("rows_of_image", { rows: ["N", "..."], [what]: form }, inputs) as [Dim[], Dim[]];
    return [reshaped(inputs[0], [rows!, ...known(inputs[0]).shape.slice(1)])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const isImages = node.inputs[1]!.type.shape.length === 1;
    const images = isImages ? w.cast(w.inputs[1]!, "int32", "images") : writeImages(w, w.inputs[1]!, "int32");
    w.give("Gather", [w.inputs[0]!, images], { axis: 0 });
  },
};

/** x [R, ...], regions [R, 5] to [N, ...]: the sum over the regions of each image, of which there are `images`. */
const sumOfImages: Operator = {
  name: "sum_of_images",
  doc: "The sum of the rows of each image's regions.",
  fullPrecision: true,
  gradient: "none",
  infer(inputs, attributes) {
    const [[, ...rest]] = forms("sum_of_images", { rows: ["R", "..."], regions: ["R", 5] }, inputs) as [Dim[]];
    return [reshaped(inputs[0], [int(attributes, "images"), ...rest])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const images = int(node.attributes, "images");
    const numbers = w.numbers(
      Array.from({ length: images }, (_, image) => image),
      [images, 1],
    );
    const own = w.step("Equal", [numbers, w.unsqueeze(w.column(w.inputs[1]!, 0, "image"), [0], "image.row")], "own");
    const rows = w.reshape(w.inputs[0]!, [w.size(node.inputs[0]!, 0), -1], "rows");
    const sums = w.step("MatMul", [w.cast(own, "float32", "own.number"), rows], "sums");
    w.give("Reshape", [sums, w.ints(images, ...sizes(node.outputs[0]!).slice(1))]);
  },
};

/** [A, ...], [B, ...], ... to [A + B + ..., ...]; along another `axis` where one is given. */
const concatRows: Operator = {
  name: "concat_rows",
  doc: "The rows of several tensors, one after the other.",
  layer: {
    arguments: {
      parts: tensors("In their order."),
      axis: integer("Along which axis.", { min: 0, default: 0 }),
    },
    flow: "none",
  },
  fullPrecision: true,
  gradient({ inputs, attributes }, [dy], builder) {
    if (dy === undefined) return [];
    const axis = int(attributes, "axis");
    let from = 0;
    return inputs.map((part) => {
      const to = from + sizes(part)[axis]!;
      const [own] = builder.apply("slice", [dy], { axes: [axis], from: [from], to: [to] });
      from = to;
      return own;
    });
  },
  complete: (attributes) => ({ axis: 0, ...attributes }),
  infer: (inputs, attributes) => [joined("concat_rows", inputs, int(attributes, "axis"))],
  lower(node, emit) {
    const w = writer(node, emit);
    w.give("Concat", w.inputs, { axis: int(node.attributes, "axis") });
  },
};

/** The type of tensors one after the other along an axis; all others have to be the same. */
export function joined(operator: string, parts: readonly TensorType[], joint = 0): TensorType {
  const [first, ...others] = parts;
  const { shape } = known(first);
  if (joint >= shape.length) throw new ShapeError(`${operator}: ${formatShape(shape)} has no axis ${joint}`);
  const row = shape.map((dim, axis) => (axis === joint ? "R" : typeof dim === "number" ? dim : `d${axis}`));
  for (const other of others) {
    forms(operator, { rows: row }, [other]);
    if (other.dtype !== first!.dtype) throw new ShapeError(`${operator}: ${first!.dtype} and ${other.dtype}`);
  }
  const rows = parts.map((part) => part.shape[joint]!).reduce(add);
  return reshaped(first, first!.shape.with(joint, rows));
}

export const REGIONS: readonly Operator[] = [regionBoxes, withBoxes, asRegions, rowsOfImage, sumOfImages, concatRows];
