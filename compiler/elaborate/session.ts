/** One elaboration: the graph as far as it has been built. */
import type { Span } from "../../grammar/ast.js";
import type { Reporter } from "../diagnostics/reporter.js";
import { node as makeNode, value as makeValue } from "../ir/build.js";
import { formatShape, sameShape } from "../ir/dim.js";
import type * as ir from "../ir/types.js";
import { ShapeError, type Operator, type ParameterSpec } from "../ops/operator.js";
import type { DraftNode, DraftParameter } from "./draft.js";
import type { Detector } from "./place.js";

/** More than any network needs; a slip such as `x 1e9` ends with an error, not with the machine's memory. */
const MOST_NODES = 20_000;
const MOST_STEPS = 200_000;

/** Ends the elaboration; the diagnostic was reported. */
export class Abandoned extends Error {}

export class Session {
  readonly reporter: Reporter;
  readonly nodes: DraftNode[] = [];
  readonly parameters: DraftParameter[] = [];
  readonly inputs: ir.NamedValue[] = [];
  /** Of a detector, from its `input` on. */
  detector: Detector | undefined;
  /** Replaces the size that the network's `input` declares. */
  readonly inputShape: readonly (number | string)[] | undefined;
  #steps = 0;
  /** Parameters of the shared part that is being carried out, and how many of them its layers have taken. */
  #shared: { readonly parameters: DraftParameter[]; readonly first: boolean; taken: number } | undefined;

  constructor(reporter: Reporter, inputShape?: readonly (number | string)[]) {
    this.reporter = reporter;
    this.inputShape = inputShape;
  }

  /** Counts a statement. */
  step(span: Span): void {
    this.#steps++;
    if (this.#steps <= MOST_STEPS && this.nodes.length <= MOST_NODES) return;
    this.reporter.report("too-large", span, `the network grows beyond ${MOST_NODES} layers`);
    throw new Abandoned();
  }

  /**
   * Appends a layer. Its parameters follow the data inputs.
   * @throws ShapeError if it can't be applied to these shapes
   */
  append(operator: Operator, inputs: readonly ir.Value[], attributes: ir.Attributes, span: Span): DraftNode {
    const types = inputs.map((input) => input.type);
    const specs = operator.parameters?.(attributes, types) ?? [];
    const again = this.#shared && !this.#shared.first ? specs.map((spec) => this.#take(spec, operator)) : undefined;
    const ownParameters = again ? [] : specs.map(draftParameter);
    const all = [...inputs, ...(again ?? ownParameters).map((parameter) => parameter.value)];
    const node: DraftNode = {
      ...makeNode(operator.name, all, attributes, "", span),
      base: operator.name,
      ownParameters,
    };
    this.nodes.push(node);
    this.parameters.push(...ownParameters);
    this.#shared?.parameters.push(...ownParameters);
    return node;
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

function draftParameter({ name, role, trainable, init, shape }: ParameterSpec): DraftParameter {
  return { name, path: "", role, trainable, init, value: makeValue({ dtype: "float32", shape }, "") };
}
