/**
 * What a drawing shows of a network: figure 3 of the paper draws convolutions, pooling and fully connected layers as
 * boxes from top to bottom, and shortcuts as curves beside them. Batch norms and activations are not drawn.
 */
import { formatDim } from "../../compiler/ir/dim.js";
import { isScope } from "../../compiler/ir/types.js";
import type { Node, Scope, Value } from "../../compiler/ir/types.js";
import { hasParameters, isMergeLayer, isSummarized, layersOf, summaryLabel } from "../../compiler/summary-layers.js";
import type { Model } from "../../compiler/model.js";

/** One network: its rows from top to bottom. */
export interface Column {
  readonly title: string;
  /** `image`: what enters at the top. */
  readonly input: string;
  readonly rows: readonly Row[];
  readonly arcs: readonly Arc[];
  readonly repeats: readonly Repeat[];
}

export type Row = Box | Fork;

interface Placed {
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
  const column = new ColumnBuilder(options);
  column.scope(model.root, undefined);
  return column.build(model.name, image?.name ?? "input");
}

type Item = Scope | Node;

class ColumnBuilder {
  readonly #options: PlanOptions;
  readonly #rows: Row[] = [];
  readonly #arcs: Arc[] = [];
  readonly #repeats: Repeat[] = [];

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  build(title: string, input: string): Column {
    return { title, input, rows: this.#rows, arcs: this.#arcs, repeats: this.#repeats };
  }

  scope(scope: Scope, stage: string | undefined): void {
    const inner = scope.kind === "stage" ? scope.path : stage;
    const join = scope.children.find(isMerge);
    if (join === undefined) this.#sequence(scope.children, inner);
    else if (scope.kind === "residual") this.#residual(scope, inner);
    else this.#merge(scope, join, inner);
  }

  #sequence(items: readonly Item[], stage: string | undefined): void {
    for (let index = 0; index < items.length;) {
      const item = items[index]!;
      const count = this.#options.collapse ? equalBlocks(items, index, this.#options) : 1;
      const from = this.#rows.length;
      if (isScope(item)) this.scope(item, stage);
      else this.#layer(item, stage);
      if (count > 1 && this.#rows.length > from) {
        this.#repeats.push({ from, to: this.#rows.length - 1, count });
      }
      index += count;
    }
  }

  #layer(node: Node, stage: string | undefined): void {
    const label = summaryLabel(node);
    if (label === undefined) return;
    const coloured = stage !== undefined && hasParameters(node);
    this.#rows.push({
      kind: "box",
      label,
      size: sizeOf(node.outputs[0]),
      path: node.path,
      ...(coloured ? { stage } : {}),
    });
  }

  #residual(scope: Scope, stage: string | undefined): void {
    const shortcut = scope.children.find((child) => isScope(child) && child.kind === "shortcut") as Scope | undefined;
    const body = scope.children.filter((child) => child !== shortcut);
    const layers = shortcut === undefined ? [] : layersOf(shortcut);
    const labels = layers.flatMap((node) => summaryLabel(node) ?? []);
    const changes = labels.length === 0 ? "" : `: ${labels.join(", ")}`;
    const kind = layers.some((node) => hasParameters(node))
      ? "projection"
      : layers.some(isSummarized)
        ? "padding"
        : "identity";
    this.#past(() => this.#sequence(body, stage), kind, `${scope.path}: ${kind} shortcut${changes}`);
  }

  /** `multiply { identity } { ... }` is an arc past the one branch; otherwise the branches stand side by side. */
  #merge(scope: Scope, join: Node, stage: string | undefined): void {
    const branches = scope.children.filter((child) => isScope(child)).map((branch) => this.#branch(branch, stage));
    const drawn = branches.filter((branch) => branch.rows.length > 0);
    if (drawn.length === 1 && branches.length === 2) {
      const index = branches.indexOf(drawn[0]!);
      const branch = scope.children.filter(isScope)[index]!;
      const size = sizeOf(join.outputs[0]);
      const from = this.#rows.length;
      this.#past(() => this.scope(branch, stage), "identity", `${scope.path}: ${join.op}`, join.op);
      // A gate's 1x1 maps are no level of the network: squeeze and excitation gives what it was given.
      for (let row = from; row < this.#rows.length; row++) this.#rows[row] = { ...this.#rows[row]!, size };
    } else if (drawn.length > 0) {
      this.#rows.push({ kind: "fork", branches, merge: join.op, size: sizeOf(join.outputs[0]) });
    }
  }

  #branch(scope: Scope, stage: string | undefined): Column {
    const column = new ColumnBuilder(this.#options);
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

function isMerge(item: Item): item is Node {
  return !isScope(item) && isMergeLayer(item);
}

/** How many blocks from here on look the same. */
function equalBlocks(items: readonly Item[], start: number, options: PlanOptions): number {
  const first = items[start]!;
  if (!isScope(first) || first.kind !== "block") return 1;
  const look = (scope: Scope): string => {
    const column = new ColumnBuilder(options);
    column.scope(scope, undefined);
    const { rows, arcs } = column.build("", "");
    return JSON.stringify([rows, arcs], (key, value: unknown) =>
      key === "path" || key === "note" ? undefined : value,
    );
  };
  const wanted = look(first);
  let end = start + 1;
  for (let next = items[end]; next !== undefined && isScope(next) && next.kind === "block"; next = items[++end]) {
    if (look(next) !== wanted) break;
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
