/** A graph as text, one line a node, for reviews and tests. */
import { formatShape } from "./dim.js";
import type { Attributes, Graph, TensorType, Value } from "./types.js";

/**
 *     graph tiny(image: float32[N, 3, 8, 8]) {
 *       parameter conv.weight: float32[4, 3, 3, 3]
 *       conv = conv(image, conv.weight) { kernel: 3x3, channels: 4 } : float32[N, 4, 8, 8]
 *       return output = conv
 *     }
 */
export function printGraph(graph: Graph): string {
  const names = uniqueNames(graph);
  const name = (value: Value): string => names.get(value.id) ?? `?${value.name}`;
  const typed = (value: Value): string => `${name(value)}: ${formatType(value.type)}`;
  const lines = [
    `graph ${graph.name}(${graph.inputs.map(({ value }) => typed(value)).join(", ")}) {`,
    ...graph.parameters.map(
      (each) => `  parameter ${typed(each.value)}${each.derived ? derivation(each.derived.from) : ""}`,
    ),
    ...graph.constants.map((each) => `  constant ${typed(each.value)}`),
    ...graph.nodes.map((node) => {
      const types = node.outputs.map((output) => formatType(output.type)).join(", ");
      const call = `${node.op}(${node.inputs.map(name).join(", ")})${attributes(node.attributes)}`;
      return `  ${node.outputs.map(name).join(", ")} = ${call} : ${types}`;
    }),
    `  return ${graph.outputs.map((output) => `${output.name} = ${name(output.value)}`).join(", ")}`,
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

/** `float32[N, 64, 56, 56]` */
export function formatType(type: TensorType): string {
  return type.dtype + formatShape(type.shape);
}

/** Names of all values of a graph, made unique: the second `conv1` is `conv1_2`. By id. */
export function uniqueNames(
  graph: Graph,
  reserved: ReadonlyMap<number, string> = new Map(),
): ReadonlyMap<number, string> {
  const names = new Map<number, string>(reserved);
  const taken = new Set<string>(reserved.values());
  const give = (value: Value): void => {
    if (names.has(value.id)) return;
    let name = value.name;
    for (let copy = 2; taken.has(name); copy += 1) name = `${value.name}_${copy}`;
    taken.add(name);
    names.set(value.id, name);
  };
  for (const { value } of [...graph.inputs, ...graph.parameters, ...graph.constants]) give(value);
  for (const node of graph.nodes) node.outputs.forEach(give);
  return names;
}

function attributes(all: Attributes): string {
  const parts = Object.entries(all).map(
    ([key, value]) => `${key}: ${Array.isArray(value) ? value.join("x") : String(value)}`,
  );
  return parts.length === 0 ? "" : ` { ${parts.join(", ")} }`;
}

function derivation(from: readonly { readonly path: string }[]): string {
  return ` from ${from.map((each) => each.path).join(", ")}`;
}
