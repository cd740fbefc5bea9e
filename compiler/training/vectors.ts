/** State that is held in vectors, as the graphs of a step take it apart, and put its next values together. */
import type { Node, Parameter, Value } from "../ir/types.js";
import { formula } from "../ops/formula.js";
import { node } from "../ops/node.js";
import type { Recorder } from "../ops/recorder.js";
import { MOST_PARTS, shapesAttribute } from "../ops/tensor/vectors.js";
import type { TrainingOptions } from "./contract.js";
import type { TrainingState } from "./state.js";

/** Nodes that make the tensors of the state of the vectors that hold them. */
export function unpacked(
  { held, value }: TrainingState,
  { device = "cpu" }: TrainingOptions,
  record: Recorder,
): readonly Node[] {
  const most = MOST_PARTS[device];
  return held.flatMap(({ name, parts }): readonly Node[] => {
    if (parts.length === 1) return [];
    const attributes = { ...shapesAttribute(parts.map(({ shape }) => shape)), most };
    const made = node("unpack", [value(name)], attributes, name, record.span);
    return [{ ...made, outputs: parts.map((part) => value(part.name)) }];
  });
}

/**
 * Gradients as one vector: those that can be made flat made so, and what many norms' are made of taken together. What `record`
 * holds of them is used nowhere else.
 */
export function packed(gradients: readonly Value[], record: Recorder): Value {
  const places = new Map(record.nodes.map(({ outputs: [output] }, index) => [output!.id, index]));
  const makerOf = (gradient: Value): Node | undefined => record.nodes[places.get(gradient.id) ?? -1];
  const flat = runs(gradients, (gradient) => alike(makerOf(gradient))).flatMap((run): readonly Value[] => {
    const makers = run.flatMap((gradient) => makerOf(gradient) ?? []);
    const op = makers[0]?.op;
    if (op === "norm_scale_gradient" || op === "norm_offset_gradient") return [ofNorms(makers, record)];
    if (op !== "conv_weight_gradient") return run;
    return makers.map((maker, at) => {
      const attributes = { ...maker.attributes, flat: true };
      const made = node(maker.op, maker.inputs, attributes, maker.path, maker.span, run[at]!.name);
      record.nodes[places.get(run[at]!.id)!] = made;
      return made.outputs[0]!;
    });
  });
  return flat.length === 1 ? flat[0]! : record.apply("pack", flat)[0]!;
}

/** Gradients whose makers have the same of this are computed alike. */
function alike(maker: Node | undefined): string {
  return `${maker?.op} ${String(maker?.attributes["eps"])}`;
}

/** Neighbours of which `key` is the same. */
function runs<T>(list: readonly T[], key: (each: T) => string): readonly (readonly T[])[] {
  const made: T[][] = [];
  for (const each of list) {
    const last = made.at(-1);
    if (last !== undefined && key(last[0]!) === key(each)) last.push(each);
    else made.push([each]);
  }
  return made;
}

/** The gradients of the weights, or of the biases, of many norms: what makes each of them, done to all as one vector. */
function ofNorms(makers: readonly Node[], record: Recorder): Value {
  const f = formula(record);
  const together = (input: number): Value => {
    const each = makers.map(({ inputs }) => inputs[input]!);
    return each.length === 1 ? each[0]! : f.apply("pack", each);
  };
  const averages = timesEach(together(0), makers, (maker) => maker.attributes["factor"] as number, record);
  const [{ op, attributes }] = makers as readonly [Node];
  if (op === "norm_offset_gradient") return averages;
  return f.over(averages, f.sqrt(f.affine(together(1), 1, attributes["eps"] as number)));
}

/** Parts of a vector, one a node, each times a number of its node. */
function timesEach(x: Value, nodes: readonly Node[], of: (node: Node) => number, record: Recorder): Value {
  const f = formula(record);
  const factors = nodes.map(of);
  if (factors.every((each) => each === factors[0])) return f.affine(x, factors[0]!);
  const lengths = nodes.map(({ outputs }) => outputs[0]!.type.shape[0] as number);
  const each = Float32Array.from(factors.flatMap((factor, at) => Array<number>(lengths[at]!).fill(factor)));
  return f.times(x, record.constant(each, [each.length]));
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
    else if (nodes.every(isAverage)) next.set(held.name, averages(state.value(held.name), nodes, record));
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
function averages(running: Value, nodes: readonly Node[], record: Recorder): Value {
  const f = formula(record);
  const batch = f.apply(
    "pack",
    nodes.map(({ inputs }) => inputs[1]!),
  );
  const momentum = ({ attributes }: Node): number => attributes["momentum"] as number;
  const kept = timesEach(running, nodes, (node) => 1 - momentum(node), record);
  const factor = (node: Node): number => momentum(node) * (node.attributes["factor"] as number);
  return f.plus(kept, timesEach(batch, nodes, factor, record));
}
