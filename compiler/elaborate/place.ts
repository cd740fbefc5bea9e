/** Where a statement is carried out. */
import type { Span } from "../../grammar/ast.js";
import type { Frame } from "../diagnostics/diagnostic.js";
import type { Bound, BoundTensor } from "./bind.js";
import type { DraftScope } from "./draft.js";
import { Environment } from "./environment.js";
import type { Site } from "./evaluate.js";
import type { Session } from "./session.js";
import type { DeclarationValue, TensorValue, Unknown } from "./values.js";

/** The tensor that flows from statement to statement. Undefined before a network's `input`; unknown after an error. */
export interface Flow {
  tensor: TensorValue | Unknown | undefined;
}

/** A stage's stride, waiting for the first layer or block that has one. */
export interface StageStride {
  readonly value: number;
  taken: boolean;
}

/** What the statements of a network's own body set. */
export interface NetworkState {
  readonly declaration: string;
  /** Of its own body: stages are known there by name. */
  readonly environment: Environment;
  /** Undefined: the identity. */
  shortcut: DeclarationValue | undefined;
  readonly settings: Map<string, Readonly<Record<string, Bound>>>;
  outputs: readonly BoundTensor[] | undefined;
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

export type PlaceKind = "network" | "stage" | "block" | "shortcut";

export interface Place {
  readonly kind: PlaceKind;
  readonly session: Session;
  readonly environment: Environment;
  readonly chain: readonly Frame[];
  readonly scope: DraftScope;
  readonly network: NetworkState;
  readonly flow: Flow;
  readonly stride: StageStride | undefined;
  /** In a shortcut: set by `nothing`. */
  readonly shortcut?: { nothing: boolean };
  /** How many blocks and networks stand round this. */
  readonly depth: number;
}

export function siteOf(place: Place, at?: Span): Site {
  const site = { reporter: place.session.reporter, environment: place.environment, chain: place.chain };
  return at === undefined ? site : { ...site, at };
}

/** The same place in braces of its own: names declared there end there. */
export function inner(place: Place, changes: Partial<Place> = {}): Place {
  return { ...place, environment: new Environment(place.environment), ...changes };
}

/** Makes the tensor that arrives known to the body as `input`. */
export function setInput(environment: Environment, tensor: TensorValue | Unknown, span: Span): void {
  environment.set("input", tensor, span);
}

export function isTensor(tensor: TensorValue | Unknown | undefined): tensor is TensorValue {
  return tensor?.kind === "tensor";
}

export function isSkipped(place: Place): boolean {
  return place.network.selection !== undefined && place.network.selection.state !== "inside";
}
