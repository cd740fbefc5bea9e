/** Parts of an ONNX model as onnx-proto's plain objects. */
import proto from "onnx-proto";
import { formatDim, isSymbolic, isUnknown, type Dim } from "../ir/dim.js";
import type { TensorType } from "../ir/types.js";
import type { OnnxAttribute } from "../ops/lowering.js";
import { onnxType } from "../ir/dtype.js";

export const { onnx } = proto;

const TYPE = onnx.AttributeProto.AttributeType;

export function attributeProto(name: string, value: OnnxAttribute): proto.onnx.IAttributeProto {
  if (typeof value === "number") return { name, type: TYPE.INT, i: value };
  if (typeof value === "string") return { name, type: TYPE.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: TYPE.FLOAT, f: value.float };
  if ("floats" in value) return { name, type: TYPE.FLOATS, floats: [...value.floats] };
  return { name, type: TYPE.INTS, ints: [...value] };
}

/** A name with a type: an input, an output, or what is known of a value between them. */
export function valueInfo(name: string, { dtype, shape }: TensorType): proto.onnx.IValueInfoProto {
  return { name, type: { tensorType: { elemType: onnxType(dtype), shape: { dim: shape.map(dimension) } } } };
}

/**
 * Symbolic sizes travel as the text of their expression: equal text says equal sizes. A size that running tells says
 * nothing, since another of the same name need not be equal.
 */
function dimension(dim: Dim): proto.onnx.TensorShapeProto.IDimension {
  if (!isSymbolic(dim)) return { dimValue: dim };
  return isUnknown(dim) ? {} : { dimParam: formatDim(dim) };
}
