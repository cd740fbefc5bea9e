/** The model that takes decoded images: its preprocessing becomes the graph's first operator. */
import { tensor, value } from "./ir/build.js";
import { node } from "./ops/node.js";
import { symbol } from "./ir/dim.js";
import { rewrite } from "./passes/rewrite.js";
import type { Model, Preprocess } from "./model.js";
import { channelsOf } from "./preprocess.js";

/**
 * uint8 [N, H, W, 3] (of grey [N, H, W, 1]) in place of float32 [N, 3, h, w]; the images of a batch have one size.
 *
 * @throws {RangeError} one line, where the preprocessing can't be part of the graph
 */
export function takingPixels(model: Model, preprocess: Preprocess | undefined): Model {
  const refuse = (why: string): never => {
    throw new RangeError(`${model.name}: an input of pixels ${why}`);
  };
  if (model.detection) return refuse("is for classifiers; a detector's images come with their sizes and scales");
  if (!preprocess) return refuse("needs a preprocessing");
  const { graph } = model;
  const [image] = graph.inputs as [(typeof graph.inputs)[number]];
  const [batch, , height, width] = image.value.type.shape;
  if (typeof height !== "number" || typeof width !== "number") return refuse("needs a size: give --input 3x224x224");
  const { interpolation, color, range, mean, std } = preprocess;
  if (interpolation === "nearest") return refuse("can't be scaled by nearest pixels: bilinear and bicubic are there");
  const attributes = {
    cut: [height, width],
    ...scaling(preprocess, [height, width], refuse),
    interpolation,
    bgr: color === "bgr",
    range,
    mean,
    std,
  };
  const pixels = value(tensor([batch!, symbol("H"), symbol("W"), channelsOf(preprocess)], "uint8"), image.name);
  const [first] = graph.nodes;
  const made = node("image_pixels", [pixels], attributes, "image_pixels", first!.span);
  const rest = rewrite(graph, () => undefined, { values: new Map([[image.value.id, made.outputs[0]!]]) });
  return { ...model, graph: { ...rest, inputs: [{ name: image.name, value: pixels }], nodes: [made, ...rest.nodes] } };
}

/** What the image is scaled to; a preprocessing that cuts another size than the network takes is followed in proportion. */
function scaling(
  { resize, centerCrop = [0, 0] }: Preprocess,
  cut: readonly [number, number],
  refuse: (why: string) => never,
): { readonly to: readonly number[]; readonly shorter: number; readonly longest: number } {
  const none = { to: [], shorter: 0, longest: 0 };
  if (resize === undefined) return none;
  const [tall, wide] = centerCrop[0] === 0 ? [1, 1] : [cut[0] / centerCrop[0], cut[1] / centerCrop[1]];
  if (!("shorter" in resize))
    return { ...none, to: [Math.floor(resize.to[0] * tall), Math.floor(resize.to[1] * wide)] };
  if (resize.like !== undefined) return refuse(`can't be resized like ${resize.like}, which is for detectors`);
  const larger = Math.max(tall, wide);
  return {
    to: [],
    shorter: Math.floor(resize.shorter * larger),
    longest: Math.floor((resize.longest ?? 0) * larger),
  };
}
