/** The model that takes decoded images: its preprocessing becomes the graph's first operator. */
import { tensor, value } from "./ir/build.js";
import { node } from "./ops/node.js";
import { symbol } from "./ir/dim.js";
import { rewrite } from "./passes/rewrite.js";
import type { Model, Preprocess } from "./model.js";
import { channelsOf, normalizationOf } from "./preprocess.js";
import type { TransformSettings } from "./words/transforms.js";

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
  const { color, range, mean, std } = normalizationOf(preprocess);
  const steps = stepsOf(preprocess, refuse);
  const interpolation = steps.resize?.["interpolation"] ?? "bilinear";
  if (interpolation === "nearest") return refuse("can't be scaled by nearest pixels: bilinear and bicubic are there");
  const attributes = {
    cut: [height, width],
    ...scaling(steps, [height, width], refuse),
    interpolation,
    bgr: color === "bgr",
    range,
    mean,
    std,
  };
  const pixels = value(tensor([batch!, symbol("H"), symbol("W"), channelsOf({ color })], "uint8"), image.name);
  const [first] = graph.nodes;
  // It keeps its name: what was measured of the input is of this now.
  const made = node("image_pixels", [pixels], attributes, "image_pixels", first!.span, image.value.name);
  const rest = rewrite(graph, () => undefined, { values: new Map([[image.value.id, made.outputs[0]!]]) });
  return { ...model, graph: { ...rest, inputs: [{ name: image.name, value: pixels }], nodes: [made, ...rest.nodes] } };
}

/** What the operator does: it scales, cuts the middle and normalises, in this order. */
interface Steps {
  readonly resize: TransformSettings | undefined;
  readonly crop: TransformSettings | undefined;
}

const ORDER = ["resize", "center_crop", "normalize"];

function stepsOf({ transforms }: Preprocess, refuse: (why: string) => never): Steps {
  let last = -1;
  const found = new Map<string, TransformSettings>();
  for (const transform of transforms) {
    const step = transform.kind === "resize_shorter" ? "resize" : transform.kind;
    const place = ORDER.indexOf(step);
    if (place < 0) refuse(`can't have \`${transform.kind}\` in the graph`);
    if (place <= last) refuse(`can't have \`${transform.kind}\` after \`${ORDER[last]!}\` in the graph`);
    last = place;
    found.set(step, transform);
  }
  return { resize: found.get("resize"), crop: found.get("center_crop") };
}

/** What the image is scaled to; a preprocessing that cuts another size than the network takes is followed in proportion. */
function scaling(
  { resize, crop }: Steps,
  cut: readonly [number, number],
  refuse: (why: string) => never,
): { readonly to: readonly number[]; readonly shorter: number; readonly longest: number } {
  const none = { to: [], shorter: 0, longest: 0 };
  if (resize === undefined) return none;
  const like = resize["like"] as string | undefined;
  if (like !== undefined) return refuse(`can't be resized like ${like}, which is for detectors`);
  const from = crop?.["size"] as readonly [number, number] | undefined;
  const [tall, wide] = from === undefined ? [1, 1] : [cut[0] / from[0], cut[1] / from[1]];
  if (resize.kind === "resize") {
    const size = resize["size"] as readonly [number, number];
    return { ...none, to: [Math.floor(size[0] * tall), Math.floor(size[1] * wide)] };
  }
  const { length, longest = 0 } = resize as TransformSettings & { readonly length: number; readonly longest?: number };
  const larger = Math.max(tall, wide);
  return { to: [], shorter: Math.floor(length * larger), longest: Math.floor(longest * larger) };
}
