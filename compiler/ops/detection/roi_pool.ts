import type { Lowering } from "../lowering.js";
import { size2, word } from "../attributes.js";
import type { Node, Operator } from "../operator.js";
import { cellsOf, GRID, MAP, pooledType, writeBoxes } from "./pooled.js";
import { writeTables } from "./roi_pool_tables.js";
import { writer } from "../write.js";

/**
 * features [N, C, h, w], regions [R, 5] to [R, C, size]: maxima over bins of each region, as Caffe's
 * roi_pooling_layer.cpp has it. Corners times `scale` [y, x] are rounded to cells, half away from zero; a region is
 * last - first + 1 cells, at least 1; a bin is from floor(bin * size) to ceil((bin + 1) * size), so neighbours overlap,
 * inside of the map; an empty one is 0. `algorithm`:
 *
 * - `operator`: ONNX's own, which only the processor has
 * - `tables`: maxima over squares of cells, made once for the map, four of which cover a bin; for regions inside of the
 *   image
 */
export const roiPool: Operator = {
  name: "roi_pool",
  doc: "Maxima over the bins of each region, its corners rounded to cells of the map.",
  layer: { arguments: { map: MAP, size: GRID }, flow: "last", byStride: cellsOf },
  fullPrecision: true,
  gradient({ inputs: [features, regions], attributes }, [dy], builder) {
    if (dy === undefined) return [];
    return builder.apply("roi_pool_gradient", [dy, features!, regions!], attributes);
  },
  label: (attributes) => `${size2(attributes, "size").join("x")} RoI pool`,
  complete: (attributes) => ({ algorithm: "operator", ...attributes }),
  infer: (inputs, attributes) => [pooledType("roi_pool", inputs, attributes)],
  algorithms: (_node, target) => [{ name: target === "cpu" ? "operator" : "tables", seconds: 1 }],
  lower(node, emit) {
    if (word(node.attributes, "algorithm") === "tables") writeTables(node, emit);
    else byOperator(node, emit);
  },
};

/** ONNX does not say how MaxRoiPool rounds; ONNX Runtime's is Caffe's to the letter. */
function byOperator(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const { boxes, scale } = writeBoxes(w, node.attributes);
  const regions = w.concat([w.slice(w.inputs[1]!, 1, 0, 1, "image"), boxes], 1, "regions");
  w.give("MaxRoiPool", [w.inputs[0]!, regions], {
    pooled_shape: size2(node.attributes, "size"),
    spatial_scale: { float: scale },
  });
}
