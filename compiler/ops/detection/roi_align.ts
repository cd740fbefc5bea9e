import { flag, int, size2, word } from "../attributes.js";
import type { Lowering } from "../lowering.js";
import type { Node, Operator } from "../operator.js";
import { cellsOf, GRID, MAP, pooledType, writeBoxes } from "./pooled.js";
import { writeImages } from "./regions.js";
import { writeProducts } from "./roi_align_products.js";
import { writeSamples } from "./roi_align_samples.js";
import { boolean, integer } from "../../words/schema.js";
import { writer } from "../write.js";

/**
 * features [N, C, h, w], regions [R, 5] to [R, C, size]: averages over bins of each region, the map between its points
 * being bilinear (He et al. 2017). `scale` [y, x] leads from the regions' coordinates to the map's. A bin is the average
 * of `sampling` x `sampling` points, 0: as many as there are cells along each axis of it, rounded up. `aligned`: half a
 * cell is taken off, so that the middle of a pixel is the middle of its cell (Detectron2's ROIAlignV2); otherwise a
 * region is at least one cell large (torchvision's default). `algorithm`:
 *
 * - `operator`: ONNX's own, which WebGPU leaves to the processor, and all features with it
 * - `samples`: the points of all regions as one grid on the map, ONNX's GridSample; where `sampling` is a number
 * - `products`: it is linear along each axis, so a product with a matrix for each and region, whatever the sampling
 */
export const roiAlign: Operator = {
  name: "roi_align",
  doc: "Averages over the bins of each region, of values interpolated between the cells of a map.",
  layer: {
    arguments: {
      map: MAP,
      size: GRID,
      sampling: integer("Points in each cell of the grid, along each side; 0: as many as it has pixels.", {
        min: 0,
        default: 0,
      }),
      aligned: boolean("Pixels' middles are at halves.", { default: true }),
    },
    flow: "last",
    byStride: cellsOf,
  },
  fullPrecision: true,
  gradient({ inputs: [features, regions], attributes }, [dy], builder) {
    if (dy === undefined) return [];
    const how = { ...attributes, algorithm: "products" };
    return builder.apply("roi_align_gradient", [dy, features!, regions!], how);
  },
  label: (attributes) => `${size2(attributes, "size").join("x")} RoI align`,
  complete: (attributes) => ({ algorithm: "operator", ...attributes }),
  infer: (inputs, attributes) => [pooledType("roi_align", inputs, attributes)],
  algorithms({ attributes }, target) {
    if (target !== "webgpu") return [{ name: "operator", seconds: 1 }];
    const products = { name: "products", seconds: 2 };
    return int(attributes, "sampling") > 0 ? [{ name: "samples", seconds: 1 }, products] : [products];
  },
  lower(node, emit) {
    const algorithm = word(node.attributes, "algorithm");
    // GridSample came with opset 16.
    if (algorithm === "samples" && emit.opset >= 16) return writeSamples(node, emit);
    if (algorithm !== "operator") return writeProducts(node, emit);
    byOperator(node, emit);
  },
};

function byOperator(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const { attributes } = node;
  const { boxes, scale } = writeBoxes(w, attributes);
  const aligned = flag(attributes, "aligned");
  // Before opset 16 the operator knew no half cell. Taken off beforehand it is the same for regions of a cell or more.
  const early = emit.opset < 16;
  const shifted = early && aligned ? w.step("Sub", [boxes, w.number(0.5 / scale)], "shifted") : boxes;
  const [height, width] = size2(attributes, "size");
  w.give("RoiAlign", [w.inputs[0]!, shifted, writeImages(w, w.inputs[1]!, "int64")], {
    output_height: height,
    output_width: width,
    sampling_ratio: int(attributes, "sampling"),
    spatial_scale: { float: scale },
    ...(early ? {} : { coordinate_transformation_mode: aligned ? "half_pixel" : "output_half_pixel" }),
  });
}
