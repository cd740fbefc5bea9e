/**
 * Puts what can be there into ONNX Runtime's blocked layout (compiler/ops/blocked/layout.ts), which its fast
 * convolutions on the processor work in, and keeps it there from one to the next. Everything else sees plain maps.
 */
import { node as makeNode } from "../../ops/node.js";
import { sameShape } from "../../ir/dim.js";
import { countUses } from "../../passes/rewrite.js";
import type { Graph, Node, Value } from "../../ir/types.js";
import { fitsPhases } from "../../ops/blocked/conv.js";
import { fitsBlockedWeightGradient } from "../../ops/blocked/weight_gradient.js";
import type { Attributes } from "../../ops/operator.js";

/** Operators that work value by value: on blocked maps as on plain ones, where all of them have one shape. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...["add", "plus", "minus", "times", "maximum", "multiply"],
  ...["relu", "relu6", "leaky_relu", "sigmoid", "tanh", "silu"],
  ...["relu_gradient", "affine", "positive", "select"],
]);

export interface BlockOptions {
  /** A convolution's method, or its gradient's, where it was measured: anything but `blocked` leaves it plain. */
  readonly choose?: (node: Node) => string | undefined;
  /** Inputs and outputs of the graph that are in blocks, if their channels fill them. Default: none. */
  readonly isBlocked?: (value: Value) => boolean;
}

/** The graph with maps in blocks of so many channels: 16 where the processor has AVX-512, 8 where it has AVX2. */
export function blockLayout(graph: Graph, block: number, options: BlockOptions = {}): Graph {
  const { choose = () => undefined, isBlocked = () => false } = options;
  const state = new Layouts(graph, block, isBlocked);
  for (const node of graph.nodes) {
    if (state.isDone(node)) continue;
    const rule = RULES[node.op] ?? (ELEMENTWISE.has(node.op) ? elementwise : plain);
    // All others follow the layout of what they are given.
    const method = BLOCKABLE[node.op] && choose(node);
    const wanted = method === undefined ? !isPointwiseWeightGradient(node) : method === "blocked";
    if (!wanted || !rule(node, state)) plain(node, state);
  }
  return {
    ...graph,
    nodes: state.nodes,
    outputs: graph.outputs.map(({ name, value }) => {
      return { name, value: isBlocked(value) && state.fills(value) ? state.blocked(value) : state.plain(value) };
    }),
  };
}

/** Operators that can be written in either layout at a choice, and which of their inputs and outputs are maps. */
export const BLOCKABLE: Readonly<
  Record<string, { readonly inputs: readonly number[]; readonly outputs: readonly number[] }>
> = {
  conv: { inputs: [0], outputs: [0] },
  conv_input_gradient: { inputs: [0], outputs: [0] },
  conv_weight_gradient: { inputs: [0, 1], outputs: [] },
};

/** Whether this node can be written in blocks, whatever is around it. */
export function canBeBlocked(node: Node, block: number): boolean {
  const rule = RULES[node.op];
  if (rule === undefined) return false;
  const graph: Graph = {
    name: node.op,
    inputs: node.inputs.map((value, index) => ({ name: `x${index}`, value })),
    parameters: [],
    constants: [],
    nodes: [],
    outputs: [],
  };
  return rule(node, new Layouts(graph, block, () => false));
}

/** A product of matrices as it is: blocks win nothing. */
export function isPointwiseWeightGradient({ op, attributes }: Node): boolean {
  return op === "conv_weight_gradient" && [attributes["kernel"], attributes["pad"]].join() === "1,1,0,0";
}

/** Writes a node in the blocked layout, if it can. */
type Rule = (node: Node, state: Layouts) => boolean;

/** Which layouts each value of the old graph is there in, and the nodes of the new one. */
class Layouts {
  readonly nodes: Node[] = [];
  readonly block: number;
  /** x - mean, by the id of the mean: what a batch norm leaves for its gradient. */
  readonly centred = new Map<number, Value>();
  readonly #plain = new Map<number, Value>();
  readonly #blocked = new Map<number, Value>();
  readonly #uses: ReadonlyMap<number, number>;
  readonly #users = new Map<number, Node>();
  readonly #made = new Set<number>();
  readonly #done = new Set<Node>();
  #current: Node | undefined;

  constructor(graph: Graph, block: number, isBlocked: (value: Value) => boolean) {
    this.block = block;
    this.#uses = countUses(graph);
    for (const node of graph.nodes) node.inputs.forEach((input) => this.#users.set(input.id, node));
    const given = [...graph.inputs, ...graph.parameters, ...graph.constants];
    for (const { value } of given) {
      this.define(value, value, isBlocked(value) && this.fills(value) ? "blocked" : "plain");
    }
    // What nobody says is made is given from outside: the state of training, while its graph is being put together.
    const produced = new Set(graph.nodes.flatMap((node) => node.outputs.map((output) => output.id)));
    for (const node of graph.nodes) {
      node.inputs.forEach((input) => !produced.has(input.id) && this.define(input, input, "plain"));
    }
  }

  define(old: Value, made: Value, layout: "plain" | "blocked"): void {
    (layout === "plain" ? this.#plain : this.#blocked).set(old.id, made);
    this.#made.add(old.id);
  }

  add(like: Node, op: string, inputs: readonly Value[], attributes: Attributes): readonly Value[] {
    const name = like.outputs.length === 1 ? like.outputs[0]!.name : like.path;
    const made = makeNode(op, inputs, attributes, like.path, like.span, name);
    this.nodes.push(made);
    return made.outputs;
  }

  begin(node: Node): void {
    this.#current = node;
  }

  plain(value: Value): Value {
    return this.#plain.get(value.id) ?? this.#convert(value, "from_blocks", this.#blocked.get(value.id)!, "plain");
  }

  blocked(value: Value): Value {
    return this.#blocked.get(value.id) ?? this.#convert(value, "to_blocks", this.#plain.get(value.id)!, "blocked");
  }

  #convert(value: Value, op: string, from: Value, layout: "plain" | "blocked"): Value {
    const { path, span } = this.#current ?? this.nodes.at(-1)!;
    const made = makeNode(op, [from], {}, path, span, `${value.name}.${layout}`);
    this.nodes.push(made);
    this.define(value, made.outputs[0]!, layout);
    return made.outputs[0]!;
  }

  isBlocked(value: Value): boolean {
    return this.#blocked.has(value.id);
  }

  /** A map whose channels fill blocks. */
  fills(value: Value): boolean {
    const { shape, dtype } = value.type;
    return dtype === "float32" && shape.length === 4 && (shape[1] as number) % this.block === 0;
  }

  /** The node that uses a value, if it is the only one and uses it once. */
  onlyUser(value: Value): Node | undefined {
    return this.#uses.get(value.id) === 1 ? this.#users.get(value.id) : undefined;
  }

  isMade(value: Value): boolean {
    return this.#made.has(value.id);
  }

  finish(node: Node): void {
    this.#done.add(node);
  }

  isDone(node: Node): boolean {
    return this.#done.has(node);
  }
}

const plain: Rule = (node, state) => {
  state.begin(node);
  const inputs = node.inputs.map((input) => state.plain(input));
  if (inputs.every((input, index) => input === node.inputs[index])) {
    state.nodes.push(node);
    node.outputs.forEach((output) => state.define(output, output, "plain"));
    return true;
  }
  const outputs = state.add(node, node.op, inputs, node.attributes);
  node.outputs.forEach((output, index) => state.define(output, outputs[index]!, "plain"));
  return true;
};

const elementwise: Rule = (node, state) => {
  const { shape } = node.outputs[0]!.type;
  const same = node.inputs.every((input) => sameShape(input.type.shape, shape));
  if (!same || !state.fills(node.outputs[0]!) || !node.inputs.some((input) => state.isBlocked(input))) return false;
  return rewritten(node, state, node.op, node.inputs.length);
};

/** The node as another operator, whose first inputs and whose output are blocked. */
function rewritten(node: Node, state: Layouts, op: string, blockedInputs: number, attributes: Attributes = {}): true {
  state.begin(node);
  const inputs = node.inputs.map((input, index) => (index < blockedInputs ? state.blocked(input) : state.plain(input)));
  const [output] = state.add(node, op, inputs, { ...node.attributes, ...attributes });
  state.define(node.outputs[0]!, output!, "blocked");
  return true;
}

const isGrouped = (node: Node): boolean => node.attributes["groups"] !== 1;

const RULES: Readonly<Record<string, Rule>> = {
  conv(node, state) {
    const [x] = node.inputs;
    if (isGrouped(node) || !state.fills(node.outputs[0]!)) return false;
    const block = { block: state.block };
    // The first convolution: so few channels that it takes the image as it is.
    if ((x!.type.shape[1] as number) < state.block) return rewritten(node, state, "blocked_conv", 0, block);
    return state.fills(x!) && rewritten(node, state, "blocked_conv", 1, block);
  },
  conv_input_gradient(node, state) {
    if (isGrouped(node) || !state.fills(node.outputs[0]!) || !state.fills(node.inputs[0]!) || !fitsPhases(node)) {
      return false;
    }
    return rewritten(node, state, "blocked_conv_input_gradient", 1, { block: state.block });
  },
  conv_weight_gradient(node, state) {
    const [x, dy] = node.inputs as [Value, Value];
    const isImage = (x.type.shape[1] as number) < state.block;
    if (isGrouped(node) || !(state.fills(x) || isImage) || !state.fills(dy)) return false;
    const attributes = { ...node.attributes, block: state.block };
    if (!fitsBlockedWeightGradient({ ...node, attributes })) return false;
    state.begin(node);
    const outputs = state.add(
      node,
      "blocked_conv_weight_gradient",
      [isImage ? state.plain(x) : state.blocked(x), state.blocked(dy)],
      attributes,
    );
    state.define(node.outputs[0]!, outputs[0]!, "plain");
    return true;
  },
  bn_train(node, state) {
    const [x, ...parameters] = node.inputs;
    if (!state.fills(x!)) return false;
    state.begin(node);
    const { addend, relu, result, taken } = followers(node, state);
    const inputs = [state.blocked(x!), ...parameters.map((each) => state.plain(each))];
    if (addend !== undefined) inputs.push(state.blocked(addend));
    const attributes = { eps: node.attributes["eps"]!, relu };
    const [y, mean, variance, centred] = state.add(node, "blocked_bn_train", inputs, attributes);
    state.define(result, y!, "blocked");
    state.define(node.outputs[1]!, mean!, "plain");
    state.define(node.outputs[2]!, variance!, "plain");
    state.centred.set(node.outputs[1]!.id, centred!);
    taken.forEach((each) => state.finish(each));
    return true;
  },
  bn_train_gradient(node, state) {
    const [dy, , weight, mean, variance] = node.inputs;
    const centred = state.centred.get(mean!.id);
    if (centred === undefined) return false;
    state.begin(node);
    const inputs = [state.blocked(dy!), centred, state.plain(weight!), state.plain(variance!)];
    const [dx, dWeight, dBias] = state.add(node, "blocked_bn_train_gradient", inputs, node.attributes);
    state.define(node.outputs[0]!, dx!, "blocked");
    state.define(node.outputs[1]!, dWeight!, "plain");
    state.define(node.outputs[2]!, dBias!, "plain");
    return true;
  },
  max_pool(node, state) {
    const [x] = node.inputs;
    return state.isBlocked(x!) && rewritten(node, state, "blocked_max_pool", 1);
  },
  subsample(node, state) {
    const [x] = node.inputs;
    const pool = { kernel: [1, 1], pad: [0, 0], ceil: false };
    return state.isBlocked(x!) && rewritten(node, state, "blocked_max_pool", 1, pool);
  },
  dilate: (node, state) =>
    state.fills(node.outputs[0]!) && rewritten(node, state, "blocked_dilate", 1, { block: state.block }),
};

interface Followers {
  readonly addend?: Value;
  readonly relu: boolean;
  /** What the batch norm gives together with the nodes that it takes over. */
  readonly result: Value;
  readonly taken: readonly Node[];
}

/** The sum and the rectifier after a batch norm, where nothing else sees what is between them. */
function followers(node: Node, state: Layouts): Followers {
  let result = node.outputs[0]!;
  const taken: Node[] = [];
  let addend: Value | undefined;
  let next = state.onlyUser(result);
  if (next?.op === "add" && next.inputs.length === 2) {
    const other = next.inputs.find((input) => input.id !== result.id);
    if (other !== undefined && state.isMade(other)) {
      addend = other;
      result = next.outputs[0]!;
      taken.push(next);
      next = state.onlyUser(result);
    }
  }
  const relu = next?.op === "relu";
  if (relu) {
    result = next!.outputs[0]!;
    taken.push(next!);
  }
  return { ...(addend && { addend }), relu, result, taken };
}
