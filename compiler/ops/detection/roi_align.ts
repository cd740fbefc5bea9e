import type { Attributes } from "../../ir/types.js";
import type { Dim } from "../../ir/dim.js";
import { flag, int, size2 } from "../attributes.js";
import type { Operator } from "../operator.js";
import { floats, forms } from "./forms.js";
import { writePictures } from "./regions.js";
import { writer, type Writer } from "./write.js";

/**
 * features [N, C, h, w], regions [R, 5] to [R, C, size]: averages over bins of each region, the map between its points
 * being bilinear (He et al. 2017). `scale` [y, x] leads from the regions' coordinates to the map's. A bin is the average
 * of `sampling` x `sampling` points, 0: as many as there are cells along each axis of it, rounded up. `aligned`: half a
 * cell is taken off, so that the middle of a pixel is the middle of its cell (Detectron2's ROIAlignV2); otherwise a
 * region is at least one cell large (torchvision's default).
 */
export const roiAlign: Operator = {
  name: "roi_align",
  doc: "Averages over the bins of each region, of values interpolated between the cells of a map.",
  fullPrecision: true,
  gradient: "none",
  label: (attributes) => `${size2(attributes, "size").join("x")} RoI align`,
  infer: (inputs, attributes) => [pooledType("roi_align", inputs, attributes)],
  lower(node, emit) {
    const w = writer(node, emit);
    const { attributes } = node;
    const { boxes, scale } = writeBoxes(w, attributes);
    const aligned = flag(attributes, "aligned");
    // Before opset 16 the operator knew no half cell. Taken off beforehand it is the same for regions of a cell or more.
    const early = emit.opset < 16;
    const half = w.number(0.5 / scale);
    const shifted = early && aligned ? w.step("Sub", [boxes, half], "shifted") : boxes;
    const [height, width] = size2(attributes, "size");
    w.give("RoiAlign", [w.inputs[0]!, shifted, writePictures(w, w.inputs[1]!, "int64")], {
      output_height: height,
      output_width: width,
      sampling_ratio: int(attributes, "sampling"),
      spatial_scale: { float: scale },
      ...(early ? {} : { coordinate_transformation_mode: aligned ? "half_pixel" : "output_half_pixel" }),
    });
  },
};

/** [R, C, size], of features [N, C, h, w] and regions [R, 5]. */
export function pooledType(operator: string, inputs: Parameters<Operator["infer"]>[0], attributes: Attributes) {
  const [features, regions] = forms(operator, { features: ["N", "C", "h", "w"], regions: ["R", 5] }, inputs) as [
    Dim[],
    Dim[],
  ];
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
