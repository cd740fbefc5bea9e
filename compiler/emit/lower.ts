/** From IR to ONNX nodes: every node writes itself, by its operator's `lower`. */
import { uniqueNames } from "../ir/print.js";
import type { DataType, Graph, Node, Value } from "../ir/types.js";
import type { Span } from "../../grammar/ast.js";
import { operator } from "../ops/index.js";
import type { Lowering, OnnxAttribute } from "../ops/lowering.js";

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  /** `net.resnet:18:5` */
  readonly source: string;
}

/** A small tensor that a lowering asked for: a shape, an axis, a bound. */
export interface OnnxConstant {
  readonly name: string;
  readonly data: readonly number[];
  readonly dtype: DataType;
  readonly shape: readonly number[];
}

export interface Lowered {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  /** ONNX names of the graph's values. */
  readonly name: (value: Value) => string;
}

export interface LoweringOptions {
  readonly opset: number;
  /** `net.resnet:18:5` of a span, for the nodes' doc strings. */
  readonly sourceLine: (span: Span) => string;
}

export function lowerGraph(graph: Graph, { opset, sourceLine }: LoweringOptions): Lowered {
  const given = new Set([...graph.inputs, ...graph.parameters, ...graph.constants].map(({ value }) => value.id));
  const reserved = new Map(graph.inputs.map((input) => [input.value.id, input.name]));
  for (const output of graph.outputs) {
    if (!given.has(output.value.id) && !reserved.has(output.value.id)) reserved.set(output.value.id, output.name);
  }
  const names = uniqueNames(graph, reserved);
  const name = (value: Value): string => {
    const found = names.get(value.id);
    if (found === undefined) throw new Error(`${value.name} is not of the graph ${graph.name}`);
    return found;
  };
  const unique = namer([...names.values(), ...graph.outputs.map((output) => output.name)]);
  const constants = sharedConstants(unique);
  const nodeNames = namer([]);
  const nodes = graph.nodes.flatMap((node) => {
    const lowering = {
      opset,
      name,
      temporary: (suffix: string) => unique(`${node.path}.${suffix}`),
      constant: constants.get,
    };
    return lowerNode(node, lowering, nodeNames, sourceLine(node.span));
  });
  // An output that is an input, a parameter, or another output too: ONNX gives each name to one value.
  const copies = graph.outputs
    .filter((output) => name(output.value) !== output.name)
    .map((output): OnnxNode => ({
      name: nodeNames(output.name),
      opType: "Identity",
      domain: "",
      inputs: [name(output.value)],
      outputs: [output.name],
      attributes: {},
      source: "",
    }));
  return { nodes: [...nodes, ...copies], constants: constants.all, name };
}

function lowerNode(
  node: Node,
  lowering: Omit<Lowering, "node">,
  nodeName: (wanted: string) => string,
  source: string,
): readonly OnnxNode[] {
  const nodes: OnnxNode[] = [];
  const own = new Set(node.outputs.map(lowering.name));
  const write: Lowering["node"] = (opType, inputs, outputs, attributes = {}, domain = "") => {
    // The node that gives the result has the path as its name; those on the way are named after what they give.
    const name = nodeName(own.has(outputs[0]!) ? node.path : outputs[0]!);
    nodes.push({ name, opType, domain, inputs, outputs, attributes, source });
  };
  operator(node.op).lower(node, { ...lowering, node: write });
  return nodes;
}

/** Gives each name once: the second `conv1` becomes `conv1_2`. */
function namer(taken: readonly string[]): (wanted: string) => string {
  const used = new Set(taken);
  return (wanted) => {
    let name = wanted;
    for (let copy = 2; used.has(name); copy += 1) name = `${wanted}_${copy}`;
    used.add(name);
    return name;
  };
}

function sharedConstants(unique: (wanted: string) => string): {
  readonly all: OnnxConstant[];
  readonly get: Lowering["constant"];
} {
  const byContent = new Map<string, OnnxConstant>();
  const all: OnnxConstant[] = [];
  const get: Lowering["constant"] = (data, dtype, shape = [data.length]) => {
    const content = `${dtype}[${shape.join()}] ${data.join()}`;
    const known = byContent.get(content);
    if (known !== undefined) return known.name;
    const made = { name: unique(`constant.${all.length + 1}`), data, dtype, shape };
    byContent.set(content, made);
    all.push(made);
    return made.name;
  };
  return { all, get };
}
