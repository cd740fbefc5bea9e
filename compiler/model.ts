/** What elaboration gives: one network, with everything the source says of it. */
import type { Span } from "../grammar/ast.js";
import type { Graph, NamedValue, Node, Scope, Value } from "./ir/types.js";
import type { TransformSettings } from "./words/transforms.js";

/** How an image becomes an input tensor; a `preprocess` declaration. Travels in the `.onnx` as metadata. */
export interface Preprocess {
  readonly name: string;
  /** In the order in which they are carried out, with every setting: words of a `preprocess` (words/transforms.ts). */
  readonly transforms: readonly TransformSettings[];
}

/** A `weights` declaration: how the names of a weight file correspond to ours. */
export interface WeightMap {
  readonly name: string;
  readonly format: "pytorch" | "caffe" | "detectron2";
  /** The first that matches a layer or a tensor names it; what none matches is called the same on both sides. */
  readonly renames: readonly Rename[];
  /** Patterns of their tensor names that may be there and are not needed. */
  readonly ignore: readonly string[];
  /** The kernel that carries a bottleneck's stride in these weights: no shape can tell. */
  readonly strideIn?: readonly [number, number];
  /** The epsilon of their batch norms, which no shape can tell either. Absent: ours. */
  readonly epsilon?: number;
  /** The preprocessing that these weights were trained with; it becomes the model's when they are loaded. */
  readonly trainedWith?: Preprocess;
  /** Of a map that came with networks inside this one: their paths. */
  readonly parts?: readonly string[];
  /** What such a part's weights were trained with, where that is another preprocessing of pixels than the network's. */
  readonly partTrainedWith?: Preprocess;
}

/** `rename "conv{s}.{b}.conv{k}", "layer{s - 1}.{b}.conv{k}"`: patterns (compiler/weights/pattern.ts). */
export interface Rename {
  /** Matched against the paths of layers (`conv1.bn`), and of tensors (`conv1.bn.weight`). */
  readonly ours: string;
  /** The other side's name for that layer, or that tensor. */
  readonly theirs: string;
  /**
   * Of a tensor that has other axes there: their lengths, as ONNX's Reshape takes them (0 keeps a length, -1 is what is
   * left). Without, axes of length 1 at the end may be more or fewer.
   */
  readonly reshape?: readonly number[];
  /** The statements that made it, the outermost first: an `include`, and the `rename` in what it includes. */
  readonly statements?: readonly Span[];
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
  /** What its source says that training makes small; absent: the softmax cross entropy of its logits. */
  readonly losses?: Losses;
  /** Paths of loss statements that are not among them: of networks inside this one. */
  readonly passedOverLosses?: readonly string[];
  readonly detection?: Detection;
  /** Present where it can be shown the middle of an image alone: a mean image that it subtracts was cut with that. */
  readonly views?: "center";
  /** The first that fits a weight file is used. */
  readonly weightMaps: readonly WeightMap[];
  /** Text of every file that took part, for code frames and source lines. */
  readonly sources: ReadonlyMap<string, string>;
}

/** What a detector says of itself. */
export interface Detection {
  /** Whether a box ends with its last pixel (x2 - x1 + 1 wide) or behind it. */
  readonly boxes: "inclusive" | "exclusive";
  readonly masks?: true;
  /** What its dialect says is learned of the objects in training images; absent where it says nothing of learning. */
  readonly objects?: ObjectRules;
}

/** Which objects and images a detector is trained by. */
export interface ObjectRules {
  /** Groups that are marked as one (COCO's `iscrowd`). */
  readonly crowd: "left_out" | "learned";
  /** Objects that are marked as difficult (PASCAL VOC). */
  readonly difficult: "left_out" | "learned";
  /** Images without objects. */
  readonly empty: "used" | "left_out";
}

/** What stands beside a network's graph and is there for training alone. */
export interface Losses {
  /** What the data say of each image: `labels`, float32 [N, classes], each class's share of it. */
  readonly targets: readonly NamedValue[];
  /** On values of the graph and on targets; they own no parameters that the graph has not. */
  readonly nodes: readonly Node[];
  /** In the source's order. Their weighted sum is the loss. */
  readonly each: readonly Loss[];
}

/** A loss statement. */
export interface Loss {
  /** Its path: its label, or its word, in the part where it stands. */
  readonly name: string;
  readonly weight: number;
  /** A scalar. */
  readonly value: Value;
}
