/**
 * What torchvision's fasterrcnn_resnet50_fpn finds, stage by stage (test/oracle/fasterrcnn_golden.py), with the weights
 * and images that it was given.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Image } from "../../runtime/images/image.js";
import type { TensorSource } from "../../runtime/weights/source.js";
import { oraclePixels, oracleSource, underOldNames, type Ranges } from "./oracle-weights.js";

/** A stage's tensor: enough of it to see where two computations part. */
export interface Summary {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly absMax: number;
  /** 16, evenly spread over it from the first. */
  readonly values: readonly number[];
}

export interface FasterRcnnGolden {
  readonly input: {
    readonly images: readonly { readonly name: string; readonly size: readonly [height: number, width: number] }[];
    /** The images are the network's input itself: bytes less 127, over 64, and zeros to the batch's size. */
    readonly tensor?: true;
    readonly shorter?: number;
    readonly longest?: number;
  };
  /** Of its batch norms. */
  readonly epsilon: number;
  readonly ranges: Ranges;
  /** Of each image in the tensor. */
  readonly sizes: readonly (readonly [height: number, width: number])[];
  readonly image: Summary;
  /** Of each level, the coarsest last. */
  readonly features: readonly Summary[];
  readonly objectness: readonly Summary[];
  readonly deltas: readonly Summary[];
  /** Of each image, little-endian floats [P, 4] in the tensor's pixels, best first. */
  readonly proposals: readonly string[];
  readonly pooled: Summary;
  readonly logits: Summary;
  readonly regression: Summary;
  /** Of each image, best first; labels count the background. `candidates` passed the threshold. */
  readonly found: readonly {
    readonly boxes: string;
    readonly scores: string;
    readonly labels: readonly number[];
    readonly candidates: number;
    readonly suppressed: number;
  }[];
  /** How near each kind of decision came to going the other way, in float64; null: none was made. */
  readonly margins: Readonly<Record<string, number | null>>;
  /** How far torchvision's boxes and scores are from its own in float64. */
  readonly float64: { readonly boxes: number; readonly scores: number };
}

const FOLDER = fileURLToPath(new URL("../golden/fasterrcnn/", import.meta.url));
const TENSORS = "tensors.json";

function read(file: string): unknown {
  return JSON.parse(fs.readFileSync(path.join(FOLDER, file), "utf8"));
}

export function fasterRcnnGoldens(): [name: string, golden: FasterRcnnGolden][] {
  const files = fs.readdirSync(FOLDER).filter((file) => file !== TENSORS);
  return files.map((file) => [path.basename(file, ".json"), read(file) as FasterRcnnGolden]);
}

/** Names and shapes of a state_dict of fasterrcnn_resnet50_fpn. */
export function fasterRcnnTensors(): Record<string, readonly number[]> {
  return read(TENSORS) as Record<string, readonly number[]>;
}

/** Names that torchvision had before 0.13, which its released weights have; frozen batch norms count no batches. */
export function oldName(name: string): string {
  return name.replace(/((?:inner|layer)_blocks\.\d)\.0\./, "$1.").replace("rpn.head.conv.0.0.", "rpn.head.conv.");
}

/** A golden's state_dict, as a file would be: by its old names where it is as the released ones. */
export function fasterRcnnSource({ ranges, epsilon }: Pick<FasterRcnnGolden, "ranges" | "epsilon">): TensorSource {
  const source = oracleSource("fasterrcnn.pth", fasterRcnnTensors(), ranges);
  return epsilon > 0 ? source : underOldNames(source, oldName);
}

/** An image of the golden, decoded. */
export function fasterRcnnImage(name: string, [height, width]: readonly [number, number]): Image {
  const planes = oraclePixels(name, height, width);
  const data = Uint8Array.from(
    { length: planes.length },
    (_, i) => planes[(i % 3) * height * width + Math.floor(i / 3)]!,
  );
  return { width, height, data };
}

/** The input of a golden whose images are it: [N, 3, height, width]. */
export function fasterRcnnTensor({ input, image }: Pick<FasterRcnnGolden, "input" | "image">): Float32Array {
  const [, channels, height, width] = image.shape as [number, number, number, number];
  const batch = new Float32Array(image.shape.reduce((size, length) => size * length, 1));
  for (const [n, { name, size }] of input.images.entries()) {
    const planes = oraclePixels(name, ...size);
    for (const [i, byte] of planes.entries()) {
      const [x, line] = [i % size[1], Math.floor(i / size[1])];
      const [y, channel] = [line % size[0], Math.floor(line / size[0])];
      batch[((n * channels + channel) * height + y) * width + x] = (byte - 127) / 64;
    }
  }
  return batch;
}

export function floats(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);
}

/** The largest difference from a summary, relative to its largest magnitude. */
export function differenceFrom({ mean, absMax, values }: Summary, ours: Float32Array): number {
  const sum = ours.reduce((all, value) => all + value, 0);
  const places = values.map((value, i) => value - ours[Math.floor((ours.length * i) / values.length)]!);
  return Math.max(Math.abs(sum / ours.length - mean), ...places.map(Math.abs)) / absMax;
}
