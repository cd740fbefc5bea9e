/** What elaboration gives: one network, with everything the source says of it. */
import type { Graph, Scope } from "./ir/types.js";

/** How an image becomes an input tensor; a `preprocess` declaration. Travels in the `.onnx` as metadata. */
export interface Preprocess {
  readonly name: string;
  /** `to`: both sides. Absent: no scaling. */
  readonly resize?: ResizeShorter | { readonly to: readonly [height: number, width: number] };
  /** Cut from the middle after scaling. Absent: the network's input size. */
  readonly centerCrop?: readonly [height: number, width: number];
  readonly interpolation: "nearest" | "bilinear" | "bicubic";
  /** `grey`: one channel, ITU-R 601-2 luma. */
  readonly color: "rgb" | "bgr" | "grey";
  /** The value of white before the subtraction: 1 or 255. */
  readonly range: number;
  /** Subtracted from each channel, in the order of `color`: three numbers, of grey one. */
  readonly mean: readonly number[];
  /** Each channel is divided by it after that. */
  readonly std: readonly number[];
  /** Zeros on the right and below, up to multiples of this; detectors. Absent: none. */
  readonly padTo?: number;
}

/** The shorter side gets this length, the other follows in proportion. */
export interface ResizeShorter {
  readonly shorter: number;
  /** Less where the longer side would exceed this. */
  readonly longest?: number;
  /**
   * Whose resizing a detector's is, to the rounding: `opencv` (py-faster-rcnn) and `torch` (torchvision's detectors) sample
   * the normalised values between pixels, `pillow` (Detectron2) averages bytes where it shrinks. Absent: torchvision's
   * for classification.
   */
  readonly like?: "opencv" | "torch" | "pillow";
}

/** A `weights` declaration: how the names of a weight file correspond to ours. */
export interface WeightMap {
  readonly name: string;
  readonly format: "pytorch" | "caffe" | "detectron2";
  /** Layer path patterns, first match wins: `conv{s}.{b}.conv{k}` is `layer{s - 1}.{b}.conv{k}`. */
  readonly renames: readonly { readonly ours: string; readonly theirs: string }[];
  /** Patterns of their tensor names that may be there and are not needed. */
  readonly ignore: readonly string[];
  /** The kernel that carries a bottleneck's stride in these weights: no shape can tell. */
  readonly strideIn?: readonly [number, number];
  /** The epsilon of their batch norms, which no shape can tell either. Absent: ours. */
  readonly epsilon?: number;
  /** The preprocessing that these weights were trained with; it becomes the model's when they are loaded. */
  readonly trainedWith?: Preprocess;
}

/** A network with its arguments: checked, shaped, ready for passes. */
export interface Model {
  readonly name: string;
  readonly graph: Graph;
  readonly root: Scope;
  readonly preprocess?: Preprocess;
  /** What was taken for granted where the source leaves it open: one line each. */
  readonly assumed?: readonly string[];
  readonly labels?: readonly string[];
  /** Of a detector: whether a box ends with its last pixel (x2 - x1 + 1 wide) or behind it. */
  readonly detection?: { readonly boxes: "inclusive" | "exclusive" };
  /** The first that fits a weight file is used. */
  readonly weightMaps: readonly WeightMap[];
  /** Text of every file that took part, for code frames and source lines. */
  readonly sources: ReadonlyMap<string, string>;
}
