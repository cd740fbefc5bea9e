/** What both ways of pooling regions share: their type, and their regions' sides in cells of the map. */
import type { Dim } from "../../ir/dim.js";
import type { Attributes, TensorType } from "../../ir/types.js";
import { size2 } from "../attributes.js";
import { size, tensor } from "../../words/schema.js";
import { floats, forms } from "./forms.js";
import type { Writer } from "../write.js";

export const MAP = tensor("The map that the regions which arrive are of.", {
  ofList:
    "for maps of a pyramid there is `pyramid_roi_align(maps, 7x7)`, of image scales `scale_roi_pool` (std/detection)",
});
export const GRID = size("Rows and columns of the grid.", { min: 1 });

/** From pixels of the network's input to cells of a map of this feature stride. */
export const cellsOf = ([y, x]: readonly [number, number]): Attributes => ({ scale: [1 / y, 1 / x] });

/** [R, C, size], of features [N, C, h, w] and regions [R, 5]. */
export function pooledType(operator: string, inputs: readonly TensorType[], attributes: Attributes): TensorType {
  const wanted = { features: ["N", "C", "h", "w"], regions: ["R", 5] };
  const [features, regions] = forms(operator, wanted, inputs) as [readonly Dim[], readonly Dim[]];
  return floats(regions[0]!, features[1]!, ...size2(attributes, "size"));
}

/**
 * The regions' boxes [R, 4] and the one number that leads from them to cells, which is all that ONNX's operators take:
 * where it differs along y and x, the boxes are brought to cells here.
 */
export function writeBoxes(w: Writer, attributes: Attributes): { readonly boxes: string; readonly scale: number } {
  const boxes = w.slice(w.inputs[1]!, 1, 1, 5, "boxes");
  const [y, x] = size2(attributes, "scale");
  if (y === x) return { boxes, scale: y };
  return { boxes: w.step("Mul", [boxes, w.numbers([x, y, x, y])], "boxes.cells"), scale: 1 };
}

/** One axis of the regions and the map, for formulations that take rows and columns apart. */
export interface Axis {
  readonly name: "y" | "x";
  /** Where the regions begin and end in the map's coordinates: float32 [R, 1]. */
  readonly from: string;
  readonly to: string;
  /** Bins along it. */
  readonly bins: number;
  /** The map's axis, and how long it is: int64 [1]. */
  readonly axis: 2 | 3;
  readonly length: string;
}

/** Along y and along x, of regions [R, 5] and the sizes of a map. */
export function writeAxes(
  w: Writer,
  attributes: Attributes,
  regions: string,
  size: (axis: 2 | 3) => string,
): readonly [Axis, Axis] {
  const bins = size2(attributes, "size");
  const scales = size2(attributes, "scale");
  const along = (name: "y" | "x"): Axis => {
    const [index, axis] = name === "y" ? ([0, 2] as const) : ([1, 3] as const);
    const side = (column: number, suffix: string): string => {
      const corner = w.slice(regions, 1, column, column + 1, suffix);
      return w.step("Mul", [corner, w.number(scales[index])], `${suffix}.cells`);
    };
    const first = name === "y" ? 2 : 1;
    const [from, to] = [side(first, `${name}1`), side(first + 2, `${name}2`)];
    return { name, from, to, bins: bins[index], axis, length: size(axis) };
  };
  return [along("y"), along("x")];
}
