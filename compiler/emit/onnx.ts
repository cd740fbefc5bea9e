/** An IR graph as the bytes of an `.onnx` file. */
import type { Span } from "../../grammar/ast.js";
import { evaluate } from "../ir/dim.js";
import type { Graph, Parameter, TensorType } from "../ir/types.js";
import { lowerGraph, type Lowered } from "./lower.js";
import { parameterSize, valuesOf, type ParameterValues } from "./parameters.js";
import { attributeProto, onnx, valueInfo } from "./proto.js";
import { constantBytes, floatBytes, numberBytes } from "./tensors.js";
import { elementBytes, onnxType } from "../ir/dtype.js";
import { chunks, field, piece, totalLength, type Piece } from "./wire.js";

export { concat } from "./wire.js";
export type { ParameterValues } from "./parameters.js";

export interface EmitOptions {
  /** Version of the ai.onnx operators, 13 to 21. Default 17. */
  readonly opset?: number;
  /** False: structure only, the parameters are inputs after those of the data. Default true. */
  readonly withWeights?: boolean;
  /** Values by parameter path; what is not in it begins as its initializer says. */
  readonly weights?: ParameterValues;
  /** What random initial values are made from. Default 0. */
  readonly seed?: number;
  /** `metadata_props` of the model, in the order of the record. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** `net.resnet:18:5` of a span: the nodes' doc strings. Default: none. */
  readonly sourceLine?: (span: Span) => string;
  /**
   * Name of a file for the weights; the model refers to it. By default, or with `ifLarge`, weights are in the model
   * while they fit.
   */
  readonly externalData?: string | { readonly ifLarge: string };
  /** Weights of more bytes than this go to a file of their own, `GRAPH.onnx.data` unless named. Default 1.9 GB. */
  readonly externalThreshold?: number;
}

/** A file in parts: they are made as they are gone through, so no two weights need be in memory at once. */
export interface Chunked {
  readonly chunks: Iterable<Uint8Array>;
  readonly byteLength: number;
}

/** A model as it is written: the pieces of its `.onnx` file, in order. */
export interface EmittedModel extends Chunked {
  /** Weights outside of the `.onnx`, in a file of this name beside it. */
  readonly external?: Chunked & { readonly name: string };
}

/** Oldest and newest operator set that the lowerings are written for. */
export const OPSETS = { default: 17, min: 13, max: 21 } as const;

/** Protocol Buffers end at 2 GiB; the rest of the model needs some of it. */
const EXTERNAL_THRESHOLD = 1.9e9;
/** Offsets of external tensors: a page, so that they can be mapped into memory. */
const ALIGNMENT = 4096;

/** Field numbers of onnx.proto that hold tensor data or what contains it. */
const FIELD = { graph: 7, initializer: 5, rawData: 9 } as const;

/**
 * The model: the same bytes for the same graph, weights, seed and options. Throws a RangeError for an opset that is
 * not supported and for weights of a wrong size.
 */
export function emitOnnx(graph: Graph, options: EmitOptions = {}): EmittedModel {
  const { opset = OPSETS.default, withWeights = true, metadata = {} } = options;
  if (!Number.isInteger(opset) || opset < OPSETS.min || opset > OPSETS.max) {
    throw new RangeError(`opset ${opset} is not supported, ${OPSETS.min} to ${OPSETS.max} are`);
  }
  const lowered = lowerGraph(graph, { opset, sourceLine: options.sourceLine ?? (() => "") });
  const weights = withWeights ? parameterTensors(graph, lowered, options) : [];
  const external = isExternal(weights, options) ? externalName(graph, options) : undefined;
  const stored = external === undefined ? undefined : layOut(weights);
  const tensors = [
    ...weights.map((tensor, index) =>
      stored === undefined ? inlineTensor(tensor) : externalTensor(tensor, external!, stored.offsets[index]!),
    ),
    ...constantTensors(graph, lowered).map(inlineTensor),
  ];
  const graphPieces = [
    piece(onnx.GraphProto.encode({ node: nodeProtos(lowered), name: graph.name }).finish()),
    ...tensors.flatMap((tensor) => field(FIELD.initializer, tensor)),
    piece(onnx.GraphProto.encode(boundary(graph, lowered, withWeights)).finish()),
  ];
  const pieces = [
    piece(onnx.ModelProto.encode({ irVersion: irVersion(opset), producerName: "resnetc" }).finish()),
    ...field(FIELD.graph, graphPieces),
    piece(
      onnx.ModelProto.encode({ opsetImport: opsetImports(lowered, opset), metadataProps: entries(metadata) }).finish(),
    ),
  ];
  const model = { chunks: chunks(pieces), byteLength: totalLength(pieces) };
  if (stored === undefined) return model;
  return {
    ...model,
    external: { name: external!, chunks: chunks(stored.pieces), byteLength: totalLength(stored.pieces) },
  };
}

// ---- tensors

interface Tensor {
  readonly name: string;
  readonly type: TensorType;
  readonly data: Piece;
}

function parameterTensors(graph: Graph, { name }: Lowered, options: EmitOptions): readonly Tensor[] {
  const { weights, seed = 0 } = options;
  return graph.parameters.map((parameter) => {
    requireSize(parameter, weights);
    const { type } = parameter.value;
    const byteLength = parameterSize(parameter) * elementBytes(type.dtype);
    const bytes = (): Uint8Array => floatBytes(valuesOf(parameter, weights, seed), type.dtype);
    return { name: name(parameter.value), type, data: { byteLength, bytes } };
  });
}

/** Weights of a wrong size are found before anything is written, not in the middle. */
function requireSize(parameter: Parameter, weights: ParameterValues | undefined): void {
  parameter.derived?.from.forEach((source) => requireSize(source, weights));
  const given = weights?.get(parameter.path)?.length;
  const size = parameterSize(parameter);
  if (parameter.derived === undefined && given !== undefined && given !== size) {
    throw new RangeError(`${parameter.path} has ${size} values, ${given} were given`);
  }
}

function constantTensors(graph: Graph, lowered: Lowered): readonly Tensor[] {
  return [
    ...graph.constants.map(({ value, data }) => ({
      name: lowered.name(value),
      type: value.type,
      data: piece(constantBytes(data)),
    })),
    ...lowered.constants.map(({ name, data, dtype, shape }) => ({
      name,
      type: { dtype, shape },
      data: piece(numberBytes(data, dtype)),
    })),
  ];
}

function tensorHead({ name, type }: Tensor): { dims: number[]; dataType: number; name: string } {
  return { dims: type.shape.map((dim) => evaluate(dim)), dataType: onnxType(type.dtype), name };
}

function inlineTensor(tensor: Tensor): readonly Piece[] {
  return [piece(onnx.TensorProto.encode(tensorHead(tensor)).finish()), ...field(FIELD.rawData, [tensor.data])];
}

function externalTensor(tensor: Tensor, location: string, offset: number): readonly Piece[] {
  const externalData = entries({ location, offset: String(offset), length: String(tensor.data.byteLength) });
  const dataLocation = onnx.TensorProto.DataLocation.EXTERNAL;
  return [piece(onnx.TensorProto.encode({ ...tensorHead(tensor), externalData, dataLocation }).finish())];
}

function isExternal(weights: readonly Tensor[], options: EmitOptions): boolean {
  const bytes = totalLength(weights.map((tensor) => tensor.data));
  return (
    weights.length > 0 &&
    (typeof options.externalData === "string" || bytes > (options.externalThreshold ?? EXTERNAL_THRESHOLD))
  );
}

function externalName(graph: Graph, { externalData }: EmitOptions): string {
  if (typeof externalData === "string") return externalData;
  return externalData?.ifLarge ?? `${graph.name}.onnx.data`;
}

/** Where each tensor begins in the file of the weights, and the file with the gaps between them. */
function layOut(weights: readonly Tensor[]): {
  readonly offsets: readonly number[];
  readonly pieces: readonly Piece[];
} {
  const offsets: number[] = [];
  const pieces: Piece[] = [];
  let end = 0;
  for (const { data } of weights) {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    if (offset > end) pieces.push(piece(new Uint8Array(offset - end)));
    offsets.push(offset);
    pieces.push(data);
    end = offset + data.byteLength;
  }
  return { offsets, pieces };
}

// ---- everything else

function nodeProtos({ nodes }: Lowered) {
  return nodes.map(({ name, opType, domain, inputs, outputs, attributes, source }) => ({
    input: [...inputs],
    output: [...outputs],
    name,
    opType,
    attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
    ...(domain === "" ? {} : { domain }),
    ...(source === "" ? {} : { docString: source }),
  }));
}

/** Inputs, outputs, and the shapes of what is between them. */
function boundary(graph: Graph, { name }: Lowered, withWeights: boolean) {
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const between = graph.nodes.flatMap((node) => node.outputs).filter((value) => !outputs.has(name(value)));
  const parameters = withWeights ? [] : graph.parameters.map(({ value }) => valueInfo(name(value), value.type));
  return {
    input: [...graph.inputs.map((input) => valueInfo(input.name, input.value.type)), ...parameters],
    output: graph.outputs.map((output) => valueInfo(output.name, output.value.type)),
    valueInfo: between.map((value) => valueInfo(name(value), value.type)),
  };
}

function opsetImports({ nodes }: Lowered, opset: number) {
  const others = [...new Set(nodes.map((node) => node.domain))].filter((domain) => domain !== "").sort();
  return [{ domain: "", version: opset }, ...others.map((domain) => ({ domain, version: 1 }))];
}

/** The version of the file format that came with the operator set. */
function irVersion(opset: number): number {
  if (opset < 15) return 7;
  if (opset < 19) return 8;
  return opset < 21 ? 9 : 10;
}

function entries(record: Readonly<Record<string, string>>) {
  return Object.entries(record).map(([key, value]) => ({ key, value }));
}
