/**
 * Puts what can be there into ONNX Runtime's blocked layout (compiler/ops/blocked/layout.ts), which its fast
 * convolutions on the processor work in, and keeps it there from one to the next. Everything else sees plain maps.
 */
import { node as makeNode } from "../ops/node.js";
import { sameShape } from "../ir/dim.js";
import { countUses } from "./rewrite.js";
import type { Graph, Node, Value } from "../ir/types.js";
import { fillsBlocks, fitsBlocks, isImage, type BlockedForm } from "../ops/blocked/form.js";
import { operator } from "../ops/index.js";
import { measuredAlgorithm } from "./choose-algorithms.js";
import type { Pass } from "./pass.js";
import type { Attributes } from "../ops/operator.js";

/** On the processor, where its block is known. */
export const blockedLayout: Pass = {
  name: "blocked layout",
  run: (graph, context) => {
    const { block = 0 } = context;
    return block === 0 ? graph : blockLayout(graph, block, { choose: (node) => measuredAlgorithm(node, context) });
  },
};

export interface BlockOptions {
  /** A convolution's algorithm, or its gradient's, where it was measured: anything but `blocked` leaves it plain. */
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
    const { blocked: form, elementwise } = operator(node.op);
    if (form && takesBlocks(form, node, state, choose(node))) writeBlocked(form, node, state);
    else if (elementwise && staysInBlocks(node, state)) writeElementwise(node, state);
    else writePlain(node, state);
  }
  return {
    ...graph,
    nodes: state.nodes,
    outputs: graph.outputs.map(({ name, value }) => {
      return { name, value: isBlocked(value) && state.fills(value) ? state.blocked(value) : state.plain(value) };
    }),
  };
}

/** Which layouts each value of the old graph is there in, and the nodes of the new one. */
class Layouts {
  readonly nodes: Node[] = [];
  readonly block: number;
  readonly #plain = new Map<number, Value>();
  readonly #blocked = new Map<number, Value>();
  readonly #uses: ReadonlyMap<number, number>;
  /** What was kept for a gradient, by the id of what it goes with. */
  readonly #kept = new Map<number, Value>();
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
    return fillsBlocks(value, this.block);
  }

  /** A further output of a blocked operator, for whoever needs it together with this value. */
  keep(value: Value, made: Value): void {
    this.#kept.set(value.id, made);
  }

  /** Whether everything was kept that the blocked form of a node needs. */
  hasKept({ takes = [] }: BlockedForm, node: Node): boolean {
    return takes.every((each) => typeof each === "number" || this.#kept.has(node.inputs[each.keptWith]!.id));
  }

  /** What the blocked form of a node is given. */
  inputsOf(form: BlockedForm, node: Node): readonly Value[] {
    const takes = form.takes ?? node.inputs.map((_, index) => index);
    return takes.map((each) => {
      if (typeof each !== "number") return this.#kept.get(node.inputs[each.keptWith]!.id)!;
      const isMap = form.inputs.includes(each) && !isImage(form, node, each, this.block);
      return isMap ? this.blocked(node.inputs[each]!) : this.plain(node.inputs[each]!);
    });
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

/** Writes the node as it is, its tensors plain. */
function writePlain(node: Node, state: Layouts): void {
  state.begin(node);
  const inputs = node.inputs.map((input) => state.plain(input));
  if (inputs.every((input, index) => input === node.inputs[index])) {
    state.nodes.push(node);
    node.outputs.forEach((output) => state.define(output, output, "plain"));
    return;
  }
  const outputs = state.add(node, node.op, inputs, node.attributes);
  node.outputs.forEach((output, index) => state.define(output, outputs[index]!, "plain"));
}

/** Whether all of a node's tensors have one shape, which fills blocks, and some of what it is given is in blocks. */
function staysInBlocks(node: Node, state: Layouts): boolean {
  const [output] = node.outputs;
  const same = node.inputs.every((input) => sameShape(input.type.shape, output!.type.shape));
  return same && state.fills(output!) && node.inputs.some((input) => state.isBlocked(input));
}

/** Writes a node that works value by value, all of its tensors in blocks. */
function writeElementwise(node: Node, state: Layouts): void {
  state.begin(node);
  const inputs = node.inputs.map((input) => state.blocked(input));
  const [output] = state.add(node, node.op, inputs, node.attributes);
  state.define(node.outputs[0]!, output!, "blocked");
}

/** Whether a node is to be written in its blocked form here. `algorithm`: the one chosen by measuring. */
function takesBlocks(form: BlockedForm, node: Node, state: Layouts, algorithm: string | undefined): boolean {
  if (!fitsBlocks(form, node, state.block) || !state.hasKept(form, node)) return false;
  if (form.taken === "given") return form.inputs.some((input) => state.isBlocked(node.inputs[input]!));
  if (form.taken === "chosen" && algorithm !== undefined) return algorithm === "blocked";
  return form.gains?.(node) ?? true;
}

function writeBlocked(form: BlockedForm, node: Node, state: Layouts): void {
  state.begin(node);
  const absorbed = absorb(form, node, state);
  const inputs = [...state.inputsOf(form, node), ...absorbed.inputs.map((input) => state.blocked(input))];
  const attributes = { ...(form.attributes?.(node.attributes) ?? node.attributes), ...absorbed.attributes };
  const made = state.add(node, form.op, inputs, { ...attributes, block: state.block });
  node.outputs.forEach((output, index) => {
    const layout = form.outputs.includes(index) ? "blocked" : "plain";
    state.define(index === 0 ? absorbed.result : output, made[index]!, layout);
  });
  if (form.keeps) state.keep(node.outputs[form.keeps.with]!, made[form.keeps.output]!);
  absorbed.nodes.forEach((each) => state.finish(each));
}

/** What a node takes over of those after it. */
interface Absorbed {
  readonly nodes: readonly Node[];
  /** Maps that it is given besides. */
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  /** What they give together, in place of the node's first output. */
  readonly result: Value;
}

function absorb({ absorbs = [] }: BlockedForm, node: Node, state: Layouts): Absorbed {
  const nodes: Node[] = [];
  const inputs: Value[] = [];
  const attributes: Record<string, boolean> = {};
  let result = node.outputs[0]!;
  for (const each of absorbs) {
    const next = state.onlyUser(result);
    const others = next?.inputs.filter((input) => input.id !== result.id) ?? [];
    const wanted = "as" in each ? 1 : 0;
    // What is made after the node can't be given to it.
    const taken = next?.op === each.op && others.length === wanted && others.every((other) => state.isMade(other));
    if (taken) {
      nodes.push(next);
      inputs.push(...others);
      result = next.outputs[0]!;
    }
    if ("attribute" in each) attributes[each.attribute] = taken;
  }
  return { nodes, inputs, attributes, result };
}
