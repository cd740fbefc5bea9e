/**
 * Gradients of RoI pooling and RoI Align with respect to the features: dy [R, C, size], features [N, C, h, w],
 * regions [R, 5] to [N, C, h, w]. The regions get none: they are taken as given, as all detectors do.
 */
import type { TensorType } from "../../ir/types.js";
import type { Operator } from "../operator.js";
import { forms } from "./forms.js";
import { writeGradientByImage } from "./roi_align_by_image.js";
import { writeProductsGradient } from "./roi_align_products.js";
import { writePoolGradient } from "./roi_pool_gradient.js";

function featuresType(operator: string, inputs: readonly TensorType[]): readonly TensorType[] {
  forms(operator, { dy: ["R", "C", "ph", "pw"], features: ["N", "C", "h", "w"], regions: ["R", 5] }, inputs);
  return [inputs[1]!];
}

/**
 * Every value goes back where it came from, by the matrices of the forward products. `algorithm`: `products`, those of all
 * images at once; `images`, those of each image, in windows of wide maps (not on WebGPU, which lacks the ordering).
 */
export const roiAlignGradient: Operator = {
  name: "roi_align_gradient",
  doc: "Gradient of RoI Align, from the features, the regions and the output's gradient.",
  fullPrecision: true,
  gradient: "none",
  infer: (inputs) => featuresType("roi_align_gradient", inputs),
  algorithms: (_node, target) => [{ name: target === "cpu" ? "images" : "products", seconds: 1 }],
  lower(node, emit) {
    if (node.attributes["algorithm"] === "images") writeGradientByImage(node, emit);
    else writeProductsGradient(node, emit);
  },
};

/** Every value goes back to the first of its bin's largest cells, by rows, as in Caffe. */
export const roiPoolGradient: Operator = {
  name: "roi_pool_gradient",
  doc: "Gradient of RoI max pooling, from the features, the regions and the output's gradient.",
  fullPrecision: true,
  gradient: "none",
  infer: (inputs) => featuresType("roi_pool_gradient", inputs),
  lower: writePoolGradient,
};
