/**
 * What a drawing shows of a network: figure 3 of the paper draws convolutions, pooling and fully connected layers as
 * boxes from top to bottom, and shortcuts as curves beside them. Batch norms and activations are not drawn.
 */
import { formatDim } from "../../compiler/ir/dim.js";
import { isScope } from "../../compiler/ir/types.js";
import type { Node, Scope, Value } from "../../compiler/ir/types.js";
import {
  hasParameters,
  isMergeLayer,
  isShapeOnly,
  isSummarized,
  layersOf,
  summaryLabel,
} from "../../compiler/summary-layers.js";
import type { Model } from "../../compiler/model.js";

/** One network: its rows from top to bottom. */
export interface Column {
  readonly title: string;
  /** `image`: what enters at the top. */
  readonly input: string;
  /** Each row takes what the row before it gives, and nothing else: it need not be drawn as a graph. */
  readonly isChain: boolean;
  readonly rows: readonly Row[];
  readonly arcs: readonly Arc[];
  readonly repeats: readonly Repeat[];
}

export type Row = Box | Fork | Merge;

interface Placed {
  /** Numbers of the rows whose outputs it takes, in order; -1: the column's input. */
  readonly from: readonly number[];
  /** Output height and width, `56` or `56x40`: rows of different columns with equal sizes can stand level. */
  readonly size: string;
}

export interface Box extends Placed {
  readonly kind: "box";
  readonly label: string;
  /** The stage it belongs to, which gives the colour; undefined for layers without parameters, which stay white. */
  readonly stage?: string;
  /** `conv4.22.conv2`, shown when the pointer rests on it. */
  readonly path: string;
}

/** Branches beside each other that are merged: `add`, `concat`. */
export interface Fork extends Placed {
  readonly kind: "fork";
  readonly branches: readonly Column[];
  readonly merge: string;
}

/** A merge of what comes from anywhere in the network: a skip, a lateral. */
export interface Merge extends Placed {
  readonly kind: "merge";
  readonly merge: string;
  readonly path: string;
}

/** A curve past the rows `from` to `to`, both included. */
export interface Arc {
  readonly from: number;
  readonly to: number;
  /** Identity shortcuts are solid; those that change the shape are dotted. */
  readonly kind: "identity" | "padding" | "projection";
  /** How many other arcs it has to pass round. */
  readonly depth: number;
  /** What joins it to the trunk where that is not an addition: `multiply`. */
  readonly merge?: string;
  /** `projection: 1x1 conv, 128, /2` */
  readonly note: string;
}

/** The rows `from` to `to` stand for so many repetitions. */
export interface Repeat {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface PlanOptions {
  /** Draw equal blocks that follow each other as one, with the count beside it. */
  readonly collapse: boolean;
}

export function planColumn(model: Model, options: PlanOptions): Column {
  const image = model.graph.inputs[0];
  const { parameters, constants } = model.graph;
  const given = new Set([...parameters, ...constants].map(({ value }) => value.id));
  const column = new ColumnBuilder({ ...options, given });
  if (image) column.enter(image.value);
  column.scope(model.root, undefined);
  return column.build(model.name, image?.name ?? "input");
}

type Item = Scope | Node;

interface Context extends PlanOptions {
  /** Ids of parameters and constants, which come from nowhere. */
  readonly given: ReadonlySet<number>;
}

class ColumnBuilder {
  readonly #options: Context;
  readonly #rows: Row[] = [];
  readonly #arcs: Arc[] = [];
  readonly #repeats: Repeat[] = [];
  /** Rows that a value comes from, through layers that are not drawn, by the value's id. */
  readonly #sources = new Map<number, readonly number[]>();

  constructor(options: Context) {
    this.#options = options;
  }

  /** What the column begins with. */
  enter(value: Value): void {
    this.#sources.set(value.id, [INPUT]);
  }

  build(title: string, input: string): Column {
    const isChain = this.#rows.every(({ from }, row) => from.every((each) => each === row - 1));
    return { title, input, isChain, rows: this.#rows, arcs: this.#arcs, repeats: this.#repeats };
  }

  scope(scope: Scope, stage: string | undefined): void {
    const inner = scope.kind === "stage" ? scope.path : stage;
    const join = scope.kind === "residual" || scope.kind === "group" ? scope.children.find(isMerge) : undefined;
    if (join === undefined || !isClosed(scope, this.#options)) this.#sequence(scope.children, inner);
    else if (scope.kind === "residual") this.#residual(scope, join, inner);
    else this.#merge(scope, join, inner);
  }

  #from(values: readonly Value[]): readonly number[] {
    return [...new Set(values.flatMap(({ id }) => this.#sources.get(id) ?? []))].sort((a, b) => a - b);
  }

  #give(node: Node, sources: readonly number[]): void {
    node.outputs.forEach(({ id }) => this.#sources.set(id, sources));
  }

  /** Layers that are not drawn: what they give comes from where what they take comes from. */
  #pass(items: readonly Item[]): void {
    for (const item of items) {
      if (isScope(item)) this.#pass(item.children);
      else this.#give(item, this.#from(flowing(item)));
    }
  }

  #sequence(items: readonly Item[], stage: string | undefined): void {
    for (let index = 0; index < items.length;) {
      const item = items[index]!;
      const count = this.#options.collapse ? equalBlocks(items, index, this.#options) : 1;
      const from = this.#rows.length;
      if (isScope(item)) this.scope(item, stage);
      else this.#layer(item, stage);
      this.#pass(items.slice(index + 1, index + count));
      if (count > 1 && this.#rows.length > from) {
        this.#repeats.push({ from, to: this.#rows.length - 1, count });
      }
      index += count;
    }
  }

  #layer(node: Node, stage: string | undefined): void {
    const label = summaryLabel(node);
    const from = this.#from(flowing(node));
    const placed = { from, size: sizeOf(node.outputs[0]), path: node.path };
    if (label !== undefined) {
      const coloured = stage !== undefined && hasParameters(node);
      this.#add(node, { kind: "box", label, ...placed, ...(coloured ? { stage } : {}) });
    } else if (isMergeLayer(node) && from.length > 1) this.#add(node, { kind: "merge", merge: node.op, ...placed });
    else this.#give(node, from);
  }

  #add(node: Node, row: Row): void {
    this.#give(node, [this.#rows.length]);
    this.#rows.push(row);
  }

  #residual(scope: Scope, join: Node, stage: string | undefined): void {
    const shortcut = scope.children.find((child) => isScope(child) && child.kind === "shortcut") as Scope | undefined;
    const branch = scope.children.find((child) => isScope(child) && child.kind === "branch") as Scope;
    const rest = scope.children.filter((child) => child !== shortcut && child !== branch && child !== join);
    const layers = shortcut === undefined ? [] : layersOf(shortcut);
    const labels = layers.flatMap((node) => summaryLabel(node) ?? []);
    const changes = labels.length === 0 ? "" : `: ${labels.join(", ")}`;
    const kind = layers.some((node) => hasParameters(node))
      ? "projection"
      : layers.some(isSummarized)
        ? "padding"
        : "identity";
    const draw = (): void => {
      this.#sequence(branch.children, stage);
      if (shortcut) this.#pass([shortcut]);
      this.#give(join, this.#from([branch.output ?? join.inputs[0]!]));
      this.#sequence(rest, stage);
    };
    this.#past(draw, kind, `${scope.path}: ${kind} shortcut${changes}`);
  }

  /** `multiply { identity } { ... }` is an arc past the one branch; otherwise the branches stand side by side. */
  #merge(scope: Scope, join: Node, stage: string | undefined): void {
    const scopes = scope.children.filter(isScope);
    const branches = scopes.map((branch) => this.#branch(branch, scope.input, stage));
    const drawn = branches.filter((branch) => branch.rows.length > 0);
    if (drawn.length === 1 && branches.length === 2) {
      const index = branches.indexOf(drawn[0]!);
      const size = sizeOf(join.outputs[0]);
      const from = this.#rows.length;
      const draw = (): void => {
        this.scope(scopes[index]!, stage);
        this.#pass([scopes[1 - index]!]);
        this.#give(join, this.#from([join.inputs[index]!]));
      };
      this.#past(draw, "identity", `${scope.path}: ${join.op}`, join.op);
      // A gate's 1x1 maps are no level of the network: squeeze and excitation gives what it was given.
      for (let row = from; row < this.#rows.length; row++) this.#rows[row] = { ...this.#rows[row]!, size };
    } else if (drawn.length > 0) {
      const from = this.#from(scope.input ? [scope.input] : []);
      layersOf(scope).forEach((node) => this.#give(node, [this.#rows.length]));
      this.#rows.push({ kind: "fork", branches, merge: join.op, size: sizeOf(join.outputs[0]), from });
    } else this.#pass(scope.children);
  }

  #branch(scope: Scope, input: Value | undefined, stage: string | undefined): Column {
    const column = new ColumnBuilder(this.#options);
    if (input) column.enter(input);
    column.scope(scope, stage);
    return column.build("", "");
  }

  /** Draws rows with an arc past them; nothing where there are no rows to pass. */
  #past(draw: () => void, kind: Arc["kind"], note: string, merge?: string): void {
    const from = this.#rows.length;
    const firstInside = this.#arcs.length;
    draw();
    const to = this.#rows.length - 1;
    if (to < from) return;
    const depth = 1 + Math.max(-1, ...this.#arcs.slice(firstInside).map((arc) => arc.depth));
    this.#arcs.push({ from, to, kind, depth, note, ...(merge === undefined ? {} : { merge }) });
  }
}

const INPUT = -1;

/** What a layer takes besides its parameters, and what only lends it its shape. */
function flowing(node: Node): readonly Value[] {
  return node.inputs.filter((_, index) => !isShapeOnly(node, index));
}

/** Whether all that happens in a scope begins with what enters it. */
function isClosed(scope: Scope, { given }: Context): boolean {
  const layers = layersOf(scope);
  const made = new Set(layers.flatMap((node) => node.outputs.map(({ id }) => id)));
  return layers.every((node) =>
    flowing(node).every((each) => made.has(each.id) || each.id === scope.input?.id || given.has(each.id)),
  );
}

function isMerge(item: Item): item is Node {
  return !isScope(item) && isMergeLayer(item);
}

/** How many blocks from here on look the same. */
function equalBlocks(items: readonly Item[], start: number, options: Context): number {
  const first = items[start]!;
  if (!isScope(first) || first.kind !== "block" || !isClosed(first, options)) return 1;
  const look = (scope: Scope): string => {
    const column = new ColumnBuilder(options);
    column.scope(scope, undefined);
    const { rows, arcs } = column.build("", "");
    return JSON.stringify([rows, arcs], (key, value: unknown) =>
      ["path", "note", "from"].includes(key) ? undefined : value,
    );
  };
  const wanted = look(first);
  let end = start + 1;
  for (let next = items[end]; next !== undefined && isScope(next) && next.kind === "block"; next = items[++end]) {
    if (!isClosed(next, options) || look(next) !== wanted) break;
  }
  return end - start;
}

/** Height and width of an image; everything without them counts as 1x1. */
function sizeOf(value: Value | undefined): string {
  const shape = value?.type.shape ?? [];
  if (shape.length < 4) return "1";
  const [height, width] = [shape[2]!, shape[3]!].map((dim) =>
    // A drawing has room for H/4, not for floor((H+3)/4).
    formatDim(dim).replace(/^floor\(\(?(\w+)(?:\+\d+\))?\/(\d+)\)$/, "$1/$2"),
  ) as [string, string];
  return height === width ? height : `${height}x${width}`;
}
