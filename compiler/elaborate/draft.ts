/**
 * The model while it is being elaborated. A layer's number in its body is known only when the body has ended, so
 * paths and names are filled in at the end (naming.ts); until then these are the final records, still open.
 */
import type { Span, Use } from "../../grammar/ast.js";
import type { Frame } from "../diagnostics/diagnostic.js";
import type * as ir from "../ir/types.js";

type Open<T> = { -readonly [K in keyof T]: T[K] };

export interface DraftNode extends Open<ir.Node> {
  /** `conv`; the name is this, numbered where its body has several. */
  base: string;
  /** A label's text replaces that. */
  label?: string;
  ownParameters: readonly DraftParameter[];
}

export interface DraftParameter extends Open<Omit<ir.Parameter, "value">> {
  readonly value: Open<ir.Value>;
  /** `weight`: last part of its path. */
  readonly name: string;
}

/** A loss statement as it was carried out. */
export interface DraftLoss {
  readonly node: DraftNode;
  readonly scope: DraftScope;
  /** Its label, or its word. */
  readonly base: string;
  readonly use: Use;
  readonly chain: readonly Frame[];
}

export interface DraftScope extends Open<Omit<ir.Scope, "children">> {
  children: (DraftScope | DraftNode)[];
  base: string;
  label?: string;
  /** Its layers are named in the body round it: the braces of residuals and merges have no name. */
  readonly transparent: boolean;
  /** A stage's blocks are called 0, 1, 2, ... */
  readonly indexed: boolean;
  /** Of a shared part's first use: where the part is defined. It is named there, wherever it is used first. */
  readonly definedIn?: DraftScope;
  /** Shared parts that are defined in this. */
  sharedParts: DraftScope[];
}

export function isDraftScope(item: DraftScope | DraftNode): item is DraftScope {
  return "children" in item;
}

interface ScopeOptions {
  readonly declaration?: string;
  readonly label?: string | undefined;
  readonly transparent?: boolean;
  readonly indexed?: boolean;
  readonly definedIn?: DraftScope | undefined;
}

export function draftScope(kind: ir.Scope["kind"], base: string, span: Span, options: ScopeOptions = {}): DraftScope {
  return {
    kind,
    base,
    name: base,
    path: "",
    span,
    children: [],
    sharedParts: [],
    transparent: options.transparent ?? false,
    indexed: options.indexed ?? false,
    ...(options.definedIn === undefined ? {} : { definedIn: options.definedIn }),
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(options.declaration === undefined ? {} : { declaration: options.declaration }),
  };
}
