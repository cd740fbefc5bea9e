/** Reverse-mode differentiation of a graph: gradients are nodes like all others. */
import { tensor, value } from "../ir/build.js";
import { gradientName } from "../ir/names.js";
import type { Graph, NamedValue, Value } from "../ir/types.js";
import { operator } from "../ops/index.js";
import { recorder, type Recorder } from "../ops/recorder.js";
import { spanOf } from "./add-loss.js";
import type { Pass, TrainingContext } from "./pass.js";

/** An output `gradient.PATH` for every parameter that is trained: that of the output `loss`, or of a multiple of it. */
export const addGradients: Pass<TrainingContext> = {
  name: "add gradients",
  run(graph, { trained = [], lossScale = false, lossShare = 1 }) {
    const scale = lossScale ? [{ name: "loss_scale", value: value(tensor([]), "loss_scale") }] : [];
    const inputs = new Map(graph.inputs.map((input) => [input.name, input.value]));
    const loss = graph.outputs.find(({ name }) => name === "loss")!;
    const record = recorder({ path: "loss", span: spanOf(graph) });
    const seed = scale[0]?.value ?? record.constant(Float32Array.of(lossShare), []);
    const parameters = trained.map((path) => inputs.get(path)!);
    const found = differentiate(graph, loss.value, parameters, seed, record);
    const gradients = trained.map((path, index): NamedValue => {
      const gradient = found[index];
      // A parameter that the loss does not depend on: nothing pulls at it.
      if (gradient === undefined) throw new RangeError(`the loss does not depend on ${path}: freeze it, or use it`);
      return { name: gradientName(path), value: gradient };
    });
    return {
      ...graph,
      inputs: [...graph.inputs, ...scale],
      constants: [...graph.constants, ...record.constants],
      nodes: [...graph.nodes, ...record.nodes],
      outputs: [...graph.outputs, ...gradients],
    };
  },
};

/**
 * Gradients of a scalar `loss` with respect to values of the graph, in the order of `wrt`; undefined where the loss
 * does not depend on one. The nodes that compute them are recorded in `record`. `seed` is the gradient of the loss
 * itself: a scalar, 1 unless gradients are scaled.
 *
 * Throws a TypeError where the loss depends on one through an operator without a gradient.
 */
export function differentiate(
  graph: Pick<Graph, "nodes">,
  loss: Value,
  wrt: readonly Value[],
  seed: Value,
  record: Recorder,
): readonly (Value | undefined)[] {
  const active = dependents(graph, wrt);
  const parts = new Map<number, Value[]>([[loss.id, [seed]]]);
  const total = (value: Value): Value | undefined => {
    const given = parts.get(value.id);
    if (given === undefined || given.length === 1) return given?.[0];
    const [sum] = record.apply("add", given);
    parts.set(value.id, [sum!]);
    return sum;
  };
  for (const node of graph.nodes.toReversed()) {
    if (!node.inputs.some((input) => active.has(input.id))) continue;
    if (!node.outputs.some((output) => parts.has(output.id))) continue;
    record.at(`${node.path}.gradient`, node.span);
    const rule = operator(node.op).gradient;
    if (typeof rule !== "function") {
      throw new TypeError(`${node.path}: ${node.op} has no gradient, and a parameter before it is trained`);
    }
    const gradients = rule(node, node.outputs.map(total), record);
    node.inputs.forEach((input, index) => {
      const gradient = gradients[index];
      if (gradient === undefined || !active.has(input.id)) return;
      parts.set(input.id, [...(parts.get(input.id) ?? []), gradient]);
    });
  }
  return wrt.map(total);
}

/** Ids of the values that are among these or computed from them. */
function dependents({ nodes }: Pick<Graph, "nodes">, values: readonly Value[]): ReadonlySet<number> {
  const ids = new Set(values.map((value) => value.id));
  for (const node of nodes) {
    if (node.inputs.some((input) => ids.has(input.id))) node.outputs.forEach((output) => ids.add(output.id));
  }
  return ids;
}
