/** State that is held in vectors, as the graphs of a step take it apart, and put its next values together. */
import type { Node, Parameter, Value } from "../ir/types.js";
import { formula } from "../ops/formula.js";
import { node } from "../ops/node.js";
import type { Recorder } from "../ops/recorder.js";
import { shapesAttribute } from "../ops/tensor/vectors.js";
import type { TrainingOptions } from "./contract.js";
import type { StateGroup, TrainingState } from "./state.js";

/** Outputs of one ONNX operator that splits a vector: beside its input seven fit into the eight tensors that WebGPU promises. */
const MOST_ON_WEBGPU = 7;

/** Nodes that make the tensors of the state of the vectors that hold them. */
export function unpacked(
  { held, value }: TrainingState,
  { device }: TrainingOptions,
  record: Recorder,
): readonly Node[] {
  const most = device === "webgpu" ? MOST_ON_WEBGPU : 0;
  return held.flatMap(({ name, parts }): readonly Node[] => {
    if (parts.length === 1) return [];
    const attributes = { ...shapesAttribute(parts.map(({ shape }) => shape)), most };
    const made = node("unpack", [value(name)], attributes, name, record.span);
    return [{ ...made, outputs: parts.map((part) => value(part.name)) }];
  });
}

/** Gradients as one vector, those that can be made flat made so. What `record` holds of them is used nowhere else. */
export function packed(gradients: readonly Value[], record: Recorder): Value {
  const places = new Map(record.nodes.map(({ outputs: [output] }, index) => [output!.id, index]));
  const flat = gradients.map((gradient) => {
    const place = places.get(gradient.id);
    const maker = place === undefined ? undefined : record.nodes[place]!;
    if (maker?.op !== "conv_weight_gradient") return gradient;
    const made = node(
      maker.op,
      maker.inputs,
      { ...maker.attributes, flat: true },
      maker.path,
      maker.span,
      gradient.name,
    );
    record.nodes[place!] = made;
    return made.outputs[0]!;
  });
  return record.apply("pack", flat)[0]!;
}

/**
 * Next running statistics, by the names of what is held; of what no batch norm of the step moves none.
 *
 * @param nextOf of one statistic, by its path
 */
export function nextStatistics(
  state: TrainingState,
  nextOf: (path: string) => Value | undefined,
  record: Recorder,
): ReadonlyMap<string, Value> {
  const makers = new Map(record.nodes.flatMap((each) => each.outputs.map(({ id }) => [id, each] as const)));
  const next = new Map<string, Value>();
  for (const group of state.groups) {
    const { members, held } = group;
    const each = members.map(({ path }) => nextOf(path));
    if (each.every((value) => value === undefined)) continue;
    record.at(`${held.name}.update`, record.span);
    const nodes = each.map((value) => value && makers.get(value.id));
    const isAverage = (maker: Node | undefined, at: number): maker is Node =>
      maker?.op === "running_average" && maker.inputs[0] === state.value(members[at]!.path);
    if (members.length === 1) next.set(held.name, each[0]!);
    else if (nodes.every(isAverage)) next.set(held.name, averages(state.value(held.name), group, nodes, record));
    else next.set(held.name, record.apply("pack", orBefore(each, members, state))[0]!);
  }
  return next;
}

/** Of a layer that is not used in this step the statistic as it is. */
function orBefore(
  each: readonly (Value | undefined)[],
  members: readonly Parameter[],
  state: TrainingState,
): readonly Value[] {
  return each.map((value, at) => value ?? state.value(members[at]!.path));
}

/** The running averages of many batch norms as one: (1 - momentum) running + momentum factor batch. */
function averages(
  running: Value,
  { members }: Pick<StateGroup, "members">,
  nodes: readonly Node[],
  record: Recorder,
): Value {
  const f = formula(record);
  const lengths = members.map(({ value: { type } }) => type.shape[0] as number);
  const times = (x: Value, of: (node: Node) => number): Value => {
    const factors = nodes.map(of);
    if (factors.every((each) => each === factors[0])) return f.affine(x, factors[0]!);
    const each = Float32Array.from(factors.flatMap((factor, at) => Array<number>(lengths[at]!).fill(factor)));
    return f.times(x, record.constant(each, [each.length]));
  };
  const batch = f.apply(
    "pack",
    nodes.map(({ inputs }) => inputs[1]!),
  );
  const momentum = ({ attributes }: Node): number => attributes["momentum"] as number;
  const kept = times(running, (node) => 1 - momentum(node));
  return f.plus(
    kept,
    times(batch, (node) => momentum(node) * (node.attributes["factor"] as number)),
  );
}
