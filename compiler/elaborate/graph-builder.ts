/** Nodes and parameters of a network as they are added, layer by layer. */
import type { Span } from "../../grammar/ast.js";
import { Abandoned } from "../budget.js";
import type { Frame } from "../diagnostics/diagnostic.js";
import type { Reporter } from "../diagnostics/reporter.js";
import { LIMITS } from "../limits.js";
import { value as makeValue } from "../ir/build.js";
import { node as makeNode } from "../ops/node.js";
import { bounds, complexity, formatShape, sameShape, type Dim } from "../ir/dim.js";
import type * as ir from "../ir/types.js";
import { ShapeError, TooLargeError, type Operator, type ParameterSpec } from "../ops/operator.js";
import type { DraftLoss, DraftNode, DraftParameter, DraftScope } from "./draft.js";
import type { Trace } from "./trace.js";
import type { DeclarationValue } from "./values.js";

/** A network that another uses, and the maps that it declares. */
export interface NetworkInside {
  readonly scope: DraftScope;
  readonly maps: readonly DeclarationValue[];
}

/** One elaboration: the graph as far as it has been built. */
export class GraphBuilder {
  readonly reporter: Reporter;
  readonly nodes: DraftNode[] = [];
  readonly parameters: DraftParameter[] = [];
  readonly inputs: ir.NamedValue[] = [];
  /** What the training data say of each image. */
  readonly targets: ir.NamedValue[] = [];
  /** Loss statements, in their order. */
  readonly losses: DraftLoss[] = [];
  /** Loss statements of networks inside this one: where they stand, and their labels or words. */
  readonly passedOverLosses: Pick<DraftLoss, "scope" | "base">[] = [];
  /** Networks that are parts of this one, with their name maps. */
  readonly inside: NetworkInside[] = [];
  /** Replaces the size that the network's `input` declares. */
  readonly inputShape: readonly (number | string)[] | undefined;
  /** Is told of every statement. */
  readonly trace: Trace | undefined;
  #parameterCount = 0;
  /** Parameters of the shared part that is being carried out, and how many of them its layers have taken. */
  #shared: { readonly parameters: DraftParameter[]; readonly first: boolean; taken: number } | undefined;

  constructor(reporter: Reporter, inputShape?: readonly (number | string)[], trace?: Trace) {
    this.reporter = reporter;
    this.inputShape = inputShape;
    this.trace = trace;
    trace?.begin(this);
  }

  /**
   * Appends a layer. Its parameters follow the data inputs.
   * @throws ShapeError if it can't be applied to these shapes, or makes a tensor too large; Abandoned where the network is
   */
  append(operator: Operator, inputs: readonly ir.Value[], attributes: ir.Attributes, at: Where): DraftNode {
    const { span, chain } = at;
    this.reporter.budget.spend(12 + inputs.length, span, chain);
    if (this.nodes.length >= LIMITS.layers) {
      const message = `the network grows beyond ${LIMITS.layers} layers`;
      this.reporter.report("too-large", span, message, { chain });
      throw new Abandoned();
    }
    const types = inputs.map((input) => input.type);
    const specs = operator.parameters?.(attributes, types) ?? [];
    const again = this.#shared && !this.#shared.first ? specs.map((spec) => this.#take(spec, operator)) : undefined;
    const ownParameters = again ? [] : specs.map(draftParameter);
    for (const { name, shape } of again ? [] : specs) this.#countParameters(`${operator.name}: its ${name}`, shape);
    const all = [...inputs, ...(again ?? ownParameters).map((parameter) => parameter.value)];
    const node: DraftNode = {
      ...makeNode(operator.name, all, attributes, "", span),
      base: operator.name,
      ownParameters,
    };
    const work = node.outputs
      .flatMap((output) => output.type.shape)
      .reduce<number>((sum, dim) => sum + complexity(dim), 0);
    this.reporter.budget.spend(work / 2, span, chain);
    for (const { type } of node.outputs) {
      requireSize(`${operator.name}: its output`, type.shape.slice(1), LIMITS.tensorElements, type.shape);
    }
    this.nodes.push(node);
    this.parameters.push(...ownParameters);
    this.#shared?.parameters.push(...ownParameters);
    return node;
  }

  #countParameters(what: string, shape: readonly number[]): void {
    this.#parameterCount += requireSize(what, shape, LIMITS.parameterElements);
    if (this.#parameterCount <= LIMITS.parameters) return;
    throw new TooLargeError(
      `${what}, ${formatShape(shape)}, makes it more than ${LIMITS.parameters} parameters in the network`,
      "are channels meant that are fewer, or a `global_avg_pool` before a fully connected layer?",
    );
  }

  /** Layers that `run` appends have these parameters, in their order; where there are none yet they are noted. */
  sharing(parameters: DraftParameter[], run: () => void): void {
    const outer = this.#shared;
    this.#shared = { parameters, first: parameters.length === 0, taken: 0 };
    try {
      run();
    } finally {
      this.#shared = outer;
    }
  }

  #take(spec: ParameterSpec, operator: Operator): DraftParameter {
    const shared = this.#shared!;
    const parameter = shared.parameters[shared.taken];
    shared.taken += 1;
    const given = parameter?.value.type.shape;
    if (parameter && given && parameter.role === spec.role && sameShape(given, spec.shape)) return parameter;
    const before = given ? formatShape(given) : "none";
    throw new ShapeError(
      `${operator.name}: its ${spec.name} is ${formatShape(spec.shape)} here, and was ${before} where the part was first used`,
      "a shared part has the same weights at every use, so what arrives must have the same channels",
    );
  }
}

/** The fewest elements that a tensor can have; throws a TooLargeError where they are more than `most`. */
function requireSize(what: string, shape: readonly Dim[], most: number, shown = shape): number {
  const count = shape.reduce<number>((product, dim) => product * Math.max(1, bounds(dim).min), 1);
  if (count <= most) return count;
  throw new TooLargeError(
    `${what} would be ${formatShape(shown)}, more than ${most} elements`,
    "no runtime can hold a larger tensor",
  );
}

/** Where a layer stands, and how the elaboration came there. */
export interface Where {
  readonly span: Span;
  readonly chain: readonly Frame[];
}

function draftParameter({ name, role, trainable, init, shape }: ParameterSpec): DraftParameter {
  return { name, path: "", role, trainable, init, value: makeValue({ dtype: "float32", shape }, "") };
}
