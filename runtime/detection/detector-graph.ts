/** A detector's graph: what it is given and what it gives, checked. */
import { stack, type DetectorInput } from "../images/detector-input.js";
import { imageInput, type ImageInput } from "../images/network-input.js";
import type { BoxEnds } from "../onnx/metadata-of.js";
import type { TensorSpec } from "../onnx/read-model.js";
import { SessionError } from "../onnx/session-error.js";
import type { Session, Values } from "../onnx/session-types.js";
import { fromInclusiveCorners, type Box } from "../data/objects.js";
import type { Corners, MaskGrid } from "./paste.js";

const INPUTS = ["image", "image_info"] as const;
const OUTPUTS = ["boxes", "scores", "labels", "images"] as const;
const MASKS = "masks";

/** Its images: where they are fixed, how many at a time, their channels, height and width. */
export interface DetectorGraph extends ImageInput {
  /** Whether each box has a mask. */
  readonly masks: boolean;
}

/**
 * @param declared whether the model has masks, where it says so; else its outputs do
 * @throws {SessionError} where the model is no detector
 */
export function detectorGraph({ name, inputs, outputs }: Session, declared?: boolean): DetectorGraph {
  const find = (specs: readonly TensorSpec[], wanted: string) => specs.find((each) => each.name === wanted);
  const lacks =
    INPUTS.some((each) => find(inputs, each) === undefined) ||
    OUTPUTS.some((each) => find(outputs, each) === undefined);
  if (lacks) {
    throw new SessionError(
      `${name}: not a detector: from ${names(inputs)} it gives ${names(outputs)}, ` +
        `and a detector gives ${OUTPUTS.join(", ")} from ${INPUTS.join(", ")}`,
    );
  }
  if (inputs.length > INPUTS.length) {
    const more = inputs.length - INPUTS.length;
    throw new SessionError(`${name}: ${more} more inputs than a detector has (was it compiled without weights?)`);
  }
  const image = imageInput(name, find(inputs, "image")!);
  if (image.pixels) throw new SessionError(`${name}: input image is uint8: detectors take float[N, 3, H, W]`);
  const grids = find(outputs, MASKS);
  if (declared && grids === undefined)
    throw new SessionError(`${name}: says that it has masks, and has no output of them`);
  return { ...image, masks: declared ?? grids?.shape.length === 3 };
}

function names(specs: readonly TensorSpec[]): string {
  const some = specs.slice(0, 4).map(({ name }) => name);
  return specs.length > some.length ? `${some.join(", ")}, ...` : some.join(", ");
}

/** A box in the image's own pixels. */
export interface Finding {
  readonly box: Box;
  /** Where it has a mask: its probabilities, and the corners that they are between, as the model gave them. */
  readonly mask?: { readonly grid: MaskGrid; readonly corners: Corners };
  /** Of the class, from 0, without the background. */
  readonly index: number;
  readonly score: number;
}

/** What can't be stacked concerns the model and these images. */
function asSessionError<T>({ name }: Session, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new SessionError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

export interface RunOptions extends DetectorGraph {
  readonly padTo: number | undefined;
  readonly boxes: BoxEnds;
}

/**
 * One run.
 *
 * @param inputs no more than the graph takes at a time
 * @returns for each, what was found, by descending score
 * @throws {SessionError} also where boxes, scores or masks are no numbers
 */
export async function runDetector(
  session: Session,
  inputs: readonly DetectorInput[],
  { batch, size, padTo, boxes: ends, masks: hasMasks }: RunOptions,
): Promise<Finding[][]> {
  // A graph made for N images is given N: what comes of the repeated last one is not looked at.
  const repeated = Array.from({ length: (batch ?? inputs.length) - inputs.length }, () => inputs.at(-1)!);
  const { image, info } = asSessionError(session, () => stack([...inputs, ...repeated], padTo, size));
  const results = await session.run({ image, image_info: info }, hasMasks ? [...OUTPUTS, MASKS] : OUTPUTS);
  const [boxes, scores] = [floats(session, results, "boxes"), floats(session, results, "scores")];
  const [labels, images] = [wholes(session, results, "labels"), wholes(session, results, "images")];
  const count = scores.length;
  if (boxes.length !== 4 * count || labels.length !== count || images.length !== count) {
    throw new SessionError(`${session.name}: its outputs are not of one length, as a detector's are`);
  }
  if (!boxes.every(Number.isFinite) || !scores.every(Number.isFinite)) {
    throw new SessionError(`${session.name}: its boxes are not finite numbers; do weights and preprocessing fit?`);
  }
  const gridOf = hasMasks ? grids(session, results, count) : undefined;
  const found: Finding[][] = inputs.map(() => []);
  for (let i = 0; i < count; i++) {
    const corners = Array.from(boxes.subarray(4 * i, 4 * i + 4)) as unknown as Corners;
    found[Number(images[i])]?.push({
      box: BOX[ends](...corners),
      index: Number(labels[i]),
      score: scores[i]!,
      ...(gridOf && { mask: { grid: gridOf(i), corners } }),
    });
  }
  return found;
}

/** The grid of each box. */
function grids(session: Session, results: Readonly<Record<string, Values>>, count: number): (row: number) => MaskGrid {
  const values = floats(session, results, MASKS);
  const [rows, height, width] = results[MASKS]!.shape;
  if (rows !== count || height === undefined || width === undefined || values.length !== count * height * width) {
    const shape = results[MASKS]!.shape.join(", ");
    throw new SessionError(`${session.name}: its masks are [${shape}], not [${count}, height, width] of its boxes`);
  }
  if (!values.every(Number.isFinite)) {
    throw new SessionError(`${session.name}: its masks are not finite numbers; do weights and preprocessing fit?`);
  }
  const size = height * width;
  return (row) => ({ width, height, values: values.subarray(row * size, (row + 1) * size) });
}

const BOX: Readonly<Record<BoxEnds, (x1: number, y1: number, x2: number, y2: number) => Box>> = {
  inclusive: (x1, y1, x2, y2) => fromInclusiveCorners(x1, y1, x2, y2, 0),
  exclusive: (x1, y1, x2, y2) => [x1, y1, x2 - x1, y2 - y1],
};

function floats({ name }: Session, results: Readonly<Record<string, Values>>, output: string): Float32Array {
  const { data } = results[output]!;
  if (data instanceof Float32Array) return data;
  throw new SessionError(`${name}: output ${output} is not of floating point`);
}

function wholes({ name }: Session, results: Readonly<Record<string, Values>>, output: string): ArrayLike<unknown> {
  const { data } = results[output]!;
  if (data instanceof BigInt64Array || data instanceof Int32Array) return data;
  throw new SessionError(`${name}: output ${output} is not of whole numbers`);
}
