import { size2 } from "../attributes.js";
import type { Operator } from "../operator.js";
import { pooledType, writeBoxes } from "./roi_align.js";
import { writer } from "./write.js";

/**
 * features [N, C, h, w], regions [R, 5] to [R, C, size]: maxima over bins of each region, as Caffe's
 * roi_pooling_layer.cpp has it. Corners times `scale` [y, x] are rounded to cells, half away from zero; a region is
 * last - first + 1 cells, at least 1; a bin is from floor(bin * size) to ceil((bin + 1) * size), so neighbours overlap,
 * inside of the map; an empty one is 0.
 */
export const roiPool: Operator = {
  name: "roi_pool",
  doc: "Maxima over the bins of each region, its corners rounded to cells of the map.",
  fullPrecision: true,
  gradient: "none",
  label: (attributes) => `${size2(attributes, "size").join("x")} RoI pool`,
  infer: (inputs, attributes) => [pooledType("roi_pool", inputs, attributes)],
  // ONNX does not say how MaxRoiPool rounds; ONNX Runtime's is Caffe's to the letter.
  lower(node, emit) {
    const w = writer(node, emit);
    const { boxes, scale } = writeBoxes(w, node.attributes);
    const regions = w.concat([w.slice(w.inputs[1]!, 1, 0, 1, "picture"), boxes], 1, "regions");
    w.give("MaxRoiPool", [w.inputs[0]!, regions], {
      pooled_shape: size2(node.attributes, "size"),
      spatial_scale: { float: scale },
    });
  },
};
