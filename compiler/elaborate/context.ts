/** What a statement is carried out in: names, the tensor that flows, the part of the network around it. */
import type { Body, Span } from "../../grammar/ast.js";
import type { Frame } from "../diagnostics/diagnostic.js";
import type * as ir from "../ir/types.js";
import type { DraftScope } from "./draft.js";
import { Environment } from "./environment.js";
import { Abandoned } from "../budget.js";
import { LIMITS } from "../limits.js";
import type { GraphBuilder } from "./graph-builder.js";
import { fail, type Site } from "./site.js";
import { isList, isRecord, type DeclarationValue, type EvalValue, type TensorValue, type Unknown } from "./values.js";

/** The tensor that flows from statement to statement. Undefined before a network's `input`; unknown after an error. */
export interface Flow {
  tensor: TensorValue | Unknown | undefined;
}

/** A stage's stride, waiting for the first layer or block that has one. */
export interface StageStride {
  readonly value: number;
  taken: boolean;
  /** Why a block that has a stride did not take it. */
  refused?: string | undefined;
}

/** What the statements of a network's own body set. */
export interface NetworkState {
  readonly declaration: string;
  readonly detector: boolean;
  /** Of its own body: stages are known there by name. */
  readonly environment: Environment;
  /** Undefined: the identity. */
  shortcut: DeclarationValue | undefined;
  preprocess: DeclarationValue | undefined;
  labels: readonly string[] | undefined;
  weights: readonly DeclarationValue[];
  /** By the names that they have there; undefined: the end of the flow. */
  outputs: readonly ir.NamedValue[] | undefined;
  /** The rules that a detector's blocks follow. */
  dialect: DeclarationValue | undefined;
  /**
   * Its input, [N, 3, H, W]: of a detector with the member `info`, [N, 6], what is known of each image; else with `labels`,
   * what the training data say of it. Undefined where the network is part of another.
   */
  image: TensorValue | undefined;
  /** Of a detector: boxes that its blocks found, and where. */
  readonly found: Map<ir.Value, { readonly span: Span; readonly chain: readonly Frame[] }>;
  /** False where the network is part of another: then its input is what flows there. */
  readonly root: boolean;
  readonly selection: Selection | undefined;
  hasInput: boolean;
}

/** `backbone.conv1 .. backbone.conv4`: layers outside of it are passed over. */
export interface Selection {
  readonly from: string;
  readonly to: string;
  state: "before" | "inside" | "after";
}

export type ContextKind = "network" | "stage" | "block" | "shortcut";

export interface Context {
  readonly kind: ContextKind;
  readonly builder: GraphBuilder;
  readonly environment: Environment;
  readonly chain: readonly Frame[];
  readonly scope: DraftScope;
  readonly network: NetworkState;
  readonly flow: Flow;
  readonly stride: StageStride | undefined;
  /** Carries out the statements of braces in such a context: layers, blocks and shared parts have bodies too. */
  readonly run: (body: Body, context: Context) => void;
  /** In a shortcut: set by `nothing`. */
  readonly shortcut?: { nothing: boolean };
  /** How many blocks and networks stand round this. */
  readonly depth: number;
}

/** The stage's stride, if it waits for a taker. */
export function takeStride(context: Context, wanted: boolean): number | undefined {
  if (!wanted || !context.stride || context.stride.taken) return undefined;
  context.stride.taken = true;
  return context.stride.value;
}

export function siteOf(context: Context, at?: Span): Site {
  const site = { reporter: context.builder.reporter, environment: context.environment, chain: context.chain };
  return at === undefined ? site : { ...site, at };
}

/** What a part with names of its own takes of the budget, even an empty one. */
const STEPS_PER_SCOPE = 8;

/**
 * Blocks, networks, shortcuts and shared parts inside one another end somewhere; `chain` ends with the one to enter, which is
 * paid for.
 *
 * @throws Abandoned, after reporting it: whatever stands beside it would go as deep again, at every level
 */
export function requireDepth(label: string, use: { readonly span: Span }, context: Context): void {
  context.builder.reporter.budget.spend(STEPS_PER_SCOPE, use.span, context.chain);
  if (context.depth < LIMITS.nesting) return;
  const itself = context.chain.slice(0, -1).some((link) => link.label === label);
  const message = itself ? `${label} contains itself` : `${label} stands more than ${LIMITS.nesting} deep in others`;
  fail({ ...siteOf(context), chain: context.chain.slice(-3) }, "endless-definition", use.span, message);
  throw new Abandoned();
}

/** The same context in braces of its own: names declared there end there. */
export function inner(context: Context, changes: Partial<Context> = {}): Context {
  return { ...context, environment: new Environment(context.environment), ...changes };
}

/** Makes the tensor that arrives known to the body as `input`. */
export function setInput(environment: Environment, tensor: TensorValue | Unknown, span: Span): void {
  environment.set("input", tensor, span);
}

/**
 * What a body gave, with the tensors that it labelled as members; and those of the block that it ended with. Its
 * `input` is not its own.
 */
export function withMembers(
  tensor: TensorValue,
  environment: Environment,
  { builder, scope, chain }: Context,
): TensorValue {
  const own = [...environment.entries()].filter(
    ([name, value]) => name !== "input" && (isList(value) ? value : [value]).every((one) => isRecord(one, "tensor")),
  );
  const before = tensor.members ?? new Map<string, EvalValue>();
  if (own.length === 0) return tensor.members ? tensor : { ...tensor, members: before };
  builder.reporter.budget.spend((before.size + own.length) / 4, scope.span, chain);
  return { ...tensor, members: new Map([...before, ...own]) };
}

export function isTensor(tensor: TensorValue | Unknown | undefined): tensor is TensorValue {
  return tensor?.kind === "tensor";
}

export function isSkipped(context: Context): boolean {
  return context.network.selection !== undefined && context.network.selection.state !== "inside";
}
