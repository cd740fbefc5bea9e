/** ONNX models built by hand, for tests of what runs them. */
import proto from "onnx-proto";

const { onnx } = proto;

export interface NodeText {
  readonly op: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ints?: Readonly<Record<string, number | readonly number[]>>;
  readonly doc?: string;
  readonly domain?: string;
}

export interface ModelText {
  readonly nodes: readonly NodeText[];
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>;
  /** Shapes; the values are a fixed function of the name and the index. */
  readonly weights?: Readonly<Record<string, readonly number[]>>;
  readonly constants?: Readonly<Record<string, Constant>>;
  /** Outputs that are of whole numbers. */
  readonly whole?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly opset?: number;
  /** Element type of inputs, outputs and weights. */
  readonly half?: boolean;
}

export interface Constant {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** Bytes of the model. */
export function onnxModel(text: ModelText): Uint8Array {
  const { FLOAT, FLOAT16, INT64 } = onnx.TensorProto.DataType;
  const elemType = text.half ? FLOAT16 : FLOAT;
  const values = (shapes: ModelText["inputs"]): proto.onnx.IValueInfoProto[] =>
    Object.entries(shapes).map(([name, shape]) => ({
      name,
      type: {
        tensorType: {
          elemType: text.whole?.includes(name) ? INT64 : elemType,
          shape: { dim: shape.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
        },
      },
    }));
  return onnx.ModelProto.encode({
    irVersion: 8,
    producerName: "by hand",
    opsetImport: [{ domain: "", version: text.opset ?? 17 }],
    metadataProps: Object.entries(text.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: "graph",
      input: values(text.inputs),
      output: values(text.outputs),
      node: text.nodes.map(({ op, name = "", inputs, outputs, ints = {}, doc = "", domain = "" }) => ({
        opType: op,
        name,
        domain,
        docString: doc,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(ints).map(([attribute, value]) =>
          typeof value === "number"
            ? { name: attribute, type: onnx.AttributeProto.AttributeType.INT, i: value }
            : { name: attribute, type: onnx.AttributeProto.AttributeType.INTS, ints: [...value] },
        ),
      })),
      initializer: [
        ...Object.entries(text.weights ?? {}).map(([name, shape]) =>
          initializer(name, { shape, data: weightValues(name, shape) }),
        ),
        ...Object.entries(text.constants ?? {}).map(([name, constant]) => initializer(name, constant)),
      ],
    },
  }).finish();
}

function initializer(name: string, { shape, data }: Constant): proto.onnx.ITensorProto {
  const { FLOAT, INT64 } = onnx.TensorProto.DataType;
  const dataType = data instanceof Float32Array ? FLOAT : INT64;
  return { name, dims: [...shape], dataType, rawData: new Uint8Array(data.buffer) };
}

/** Between -0.2 and 0.2, different for every name. */
export function weightValues(name: string, dims: readonly number[]): Float32Array {
  const phase = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1000;
  return Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => 0.2 * Math.sin(phase + 1.7 * i));
}

const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/** One residual block and a head, named and commented as the compiler does: 5 classes. */
export const TINY_NODES: readonly NodeText[] = [
  {
    op: "Conv",
    name: "conv1.conv",
    inputs: ["image", "w1", "b1"],
    outputs: ["conv1.conv"],
    ints: same,
    doc: "tiny.resnet:3:12",
  },
  { op: "Relu", name: "conv1.relu", inputs: ["conv1.conv"], outputs: ["conv1.relu"], doc: "tiny.resnet:3:26" },
  {
    op: "Conv",
    name: "conv2.0.conv1",
    inputs: ["conv1.relu", "w2", "b2"],
    outputs: ["conv2.0.conv1"],
    ints: same,
    doc: "tiny.resnet:5:5",
  },
  { op: "Relu", name: "conv2.0.relu1", inputs: ["conv2.0.conv1"], outputs: ["conv2.0.relu1"], doc: "tiny.resnet:5:20" },
  {
    op: "Conv",
    name: "conv2.0.conv2",
    inputs: ["conv2.0.relu1", "w3", "b3"],
    outputs: ["conv2.0.conv2"],
    ints: same,
    doc: "tiny.resnet:5:5",
  },
  {
    op: "Add",
    name: "conv2.0.add",
    inputs: ["conv2.0.conv2", "conv1.relu"],
    outputs: ["conv2.0.add"],
    doc: "tiny.resnet:4:3",
  },
  { op: "Relu", name: "conv2.0.relu2", inputs: ["conv2.0.add"], outputs: ["conv2.0.relu2"], doc: "tiny.resnet:8:3" },
  {
    op: "MaxPool",
    name: "conv2.max_pool",
    inputs: ["conv2.0.relu2"],
    outputs: ["conv2.max_pool"],
    ints: { kernel_shape: [2, 2], strides: [2, 2] },
    doc: "tiny.resnet:9:3",
  },
  {
    op: "GlobalAveragePool",
    name: "head.global_avg_pool",
    inputs: ["conv2.max_pool"],
    outputs: ["head.global_avg_pool"],
    doc: "tiny.resnet:10:10",
  },
  {
    op: "Flatten",
    name: "head.fc.flat",
    inputs: ["head.global_avg_pool"],
    outputs: ["head.fc.flat"],
    doc: "tiny.resnet:10:28",
  },
  { op: "Gemm", name: "head.fc", inputs: ["head.fc.flat", "w4", "b4"], outputs: ["logits"], doc: "tiny.resnet:10:28" },
  { op: "Softmax", name: "head.softmax", inputs: ["logits"], outputs: ["probabilities"], doc: "tiny.resnet:10:34" },
];

export const TINY_WEIGHTS = {
  w1: [16, 3, 3, 3],
  b1: [16],
  w2: [16, 16, 3, 3],
  b2: [16],
  w3: [16, 16, 3, 3],
  b3: [16],
  w4: [16, 5],
  b4: [5],
} as const;

/** A network of 5 classes whose input is [N, 3, H, W] unless said otherwise. */
export function tinyNetwork(changes: Partial<ModelText> = {}): Uint8Array {
  return onnxModel({
    nodes: TINY_NODES,
    inputs: { image: ["N", 3, "H", "W"] },
    outputs: { probabilities: ["N", 5], logits: ["N", 5] },
    weights: TINY_WEIGHTS,
    ...changes,
  });
}

/**
 * A network whose answer can be told in the head: the logits of 3 classes are the mean of the red, green and blue
 * plane times `gain`.
 */
export function meanColour(changes: Partial<ModelText> = {}): Uint8Array {
  return onnxModel({
    nodes: [
      { op: "GlobalAveragePool", name: "pool", inputs: ["image"], outputs: ["pool"] },
      { op: "Flatten", name: "flat", inputs: ["pool"], outputs: ["logits"] },
      { op: "Softmax", name: "softmax", inputs: ["logits"], outputs: ["probabilities"] },
    ],
    inputs: { image: ["N", 3, "H", "W"] },
    outputs: { probabilities: ["N", 3], logits: ["N", 3] },
    ...changes,
  });
}

/** Values for an input, the same each time. */
export function testValues(shape: readonly number[]): { data: Float32Array; shape: readonly number[] } {
  const length = shape.reduce((a, b) => a * b, 1);
  return { data: Float32Array.from({ length }, (_, i) => Math.cos(i * 0.37)), shape };
}
