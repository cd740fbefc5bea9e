/** What a network costs, layer by layer and stage by stage: the numbers of table 1. */
import { atMost, evaluate, formatDim, isSymbolic, type Dim } from "./ir/dim.js";
import { elementBytes } from "./ir/dtype.js";
import { isScope, type Node, type Parameter, type Scope, type Value } from "./ir/types.js";
import { summaryLabel, layersOf } from "./summary-layers.js";
import type { Model } from "./model.js";
import { operator } from "./ops/index.js";

/** Of sizes that only running the model tells (a detector's regions), the most; null where nothing bounds them. */
export interface Cost {
  /** Trainable parameters: weights, biases, scales and offsets; running statistics are not among them. */
  readonly params: number;
  /** Multiply-adds of convolutions and fully connected layers at batch 1, as the paper counts. */
  readonly macs: number | null;
  /** Bytes of what the layers give at batch 1: what training keeps for the way back. */
  readonly activations: number | null;
}

/** A layer and what it costs. */
export interface LayerSummary extends Cost {
  /** `conv4.22.conv2` */
  readonly path: string;
  readonly op: string;
  /** `3x3 conv, 64, /2`, for those operators that a drawing shows. */
  readonly label?: string;
  /** `["N", 64, 56, 56]` */
  readonly output: readonly (number | string)[];
}

/** Equal blocks that follow each other in a stage, or equal layers that stand in the stage itself. */
export interface PartSummary extends Cost {
  /** What the block is an instance of: `bottleneck`. */
  readonly block?: string;
  /** `["1x1 conv, 64", "3x3 conv, 64", "1x1 conv, 256"]`; of the last block where the first has a stride. */
  readonly labels: readonly string[];
  readonly count: number;
}

/** A stage and what it costs. */
export interface StageSummary extends Cost {
  /** `conv4`; empty for layers that stand outside of stages. */
  readonly path: string;
  readonly output: readonly (number | string)[];
  readonly parts: readonly PartSummary[];
}

/** A network and what it costs; plain data. */
export interface Summary extends Cost {
  /** Version of this record; fields may be added without a new one. */
  readonly schema: 1;
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  readonly outputs: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  /** The most bytes of activations that are needed at one time to run it at batch 1, no tensor sharing memory. */
  readonly peak: number | null;
  readonly stages: readonly StageSummary[];
  readonly layers: readonly LayerSummary[];
}

/** Counts parameters, multiply-adds and activations of a network, in all and by stage and layer. */
export function summarize(model: Model): Summary {
  const { graph, root } = model;
  const trainable = trainableOf(graph.parameters);
  const costs = new Map(graph.nodes.map((node) => [node, layerCost(node, trainable)]));
  const costOf = (nodes: readonly Node[]): Cost =>
    costTogether(
      nodes,
      nodes.flatMap((node) => costs.get(node) ?? []),
      trainable,
    );
  const named = ({ name, value }: { name: string; value: Value }) => ({ name, shape: shapeOf(value) });
  return {
    schema: 1,
    name: model.name,
    ...costOf(graph.nodes),
    peak: peak(model),
    inputs: graph.inputs.map(named),
    outputs: graph.outputs.map(named),
    stages: stagesOf(root).map(({ path, output, items }) => ({
      path,
      output: shapeOf(output),
      ...costOf(items.flatMap((item) => (isScope(item) ? layersOf(item) : [item]))),
      parts: partsOf(items, costOf),
    })),
    layers: graph.nodes.map((node) => {
      const label = summaryLabel(node);
      return {
        path: node.path,
        op: node.op,
        ...(label === undefined ? {} : { label }),
        output: shapeOf(node.outputs[0]),
        ...costs.get(node)!,
      };
    }),
  };
}

/** Parameters that training changes, by the number of their value. */
type Trainable = ReadonlyMap<number, Value>;

function trainableOf(parameters: readonly Pick<Parameter, "trainable" | "value">[]): Trainable {
  return new Map(parameters.filter(({ trainable }) => trainable).map(({ value }) => [value.id, value]));
}

/** What these layers of a network cost, whose parameters are given. */
export function costOfLayers(
  nodes: readonly Node[],
  parameters: readonly Pick<Parameter, "trainable" | "value">[],
): Cost {
  const trainable = trainableOf(parameters);
  return costTogether(
    nodes,
    nodes.map((node) => layerCost(node, trainable)),
    trainable,
  );
}

function costTogether(nodes: readonly Node[], each: readonly Cost[], trainable: Trainable): Cost {
  // A parameter that two layers share counts once.
  const values = new Set(nodes.flatMap((node) => node.inputs.filter((input) => trainable.has(input.id))));
  return {
    params: total([...values].map(elements)) ?? 0,
    macs: total(each.map((cost) => cost.macs)),
    activations: total(each.map((cost) => cost.activations)),
  };
}

function layerCost(node: Node, trainable: Trainable): Cost {
  const types = (values: readonly Value[]) => values.map((value) => value.type);
  return {
    params: total(node.inputs.filter((input) => trainable.has(input.id)).map(elements)) ?? 0,
    macs: known(
      () => operator(node.op).macs?.(types(node.inputs), types(node.outputs), node.attributes, sizeAtBatchOne) ?? 0,
    ),
    activations: total(node.outputs.map(bytes)),
  };
}

interface Stage {
  readonly path: string;
  output: Value | undefined;
  readonly items: (Scope | Node)[];
}

/** Stages, also those of networks inside; what stands between them makes stages without a name. */
function stagesOf(scope: Scope): Stage[] {
  const stages: Stage[] = [];
  for (const item of scope.children) {
    const last = stages.at(-1);
    if (isScope(item) && item.kind === "network") stages.push(...stagesOf(item));
    else if (isScope(item) && item.kind === "stage") {
      stages.push({
        path: item.path,
        output: item.output ?? layersOf(item).at(-1)?.outputs[0],
        items: [...item.children],
      });
    } else {
      const output = isScope(item) ? item.output : item.outputs[0];
      if (last?.path !== "") stages.push({ path: "", output, items: [item] });
      else {
        last.items.push(item);
        last.output = output;
      }
    }
  }
  return stages;
}

function partsOf(items: readonly (Scope | Node)[], costOf: (nodes: readonly Node[]) => Cost): PartSummary[] {
  const parts: { block?: string; nodes: Node[]; labels: string[]; count: number; signature?: string }[] = [];
  for (const item of items) {
    if (isScope(item)) {
      const nodes = layersOf(item);
      const signature = JSON.stringify([item.declaration, trunkOf(item).map(withoutStride)]);
      const last = parts.at(-1);
      if (item.kind === "block" && last?.signature === signature) {
        last.count += 1;
        last.nodes.push(...nodes);
        last.labels = labelsOf(trunkOf(item));
      } else {
        const block = item.declaration ?? item.name;
        parts.push({ block, nodes: [...nodes], labels: labelsOf(trunkOf(item)), count: 1, signature });
      }
    } else if (summaryLabel(item) === undefined && parts.at(-1)?.signature === undefined && parts.length > 0) {
      // A batch norm and an activation belong to the layer before them.
      parts.at(-1)!.nodes.push(item);
    } else {
      const labels = labelsOf([item]);
      const last = parts.at(-1);
      if (last?.signature === undefined && labels.length > 0 && last?.labels[0] === labels[0]) {
        last!.count += 1;
        last!.nodes.push(item);
      } else parts.push({ nodes: [item], labels, count: 1 });
    }
  }
  return parts.map(({ block, nodes, labels, count }) => ({
    ...(block === undefined ? {} : { block }),
    labels,
    count,
    ...costOf(nodes),
  }));
}

/** Without the shortcuts, which table 1 does not show either. */
function trunkOf(scope: Scope): readonly Node[] {
  return scope.children.flatMap((child) =>
    isScope(child) ? (child.kind === "shortcut" ? [] : trunkOf(child)) : [child],
  );
}

function withoutStride(node: Node): unknown {
  return [node.op, { ...node.attributes, stride: undefined }];
}

function labelsOf(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => summaryLabel(node) ?? []);
}

/** Every value lives from the node that makes it to the last that uses it; outputs live to the end. */
function peak({ graph }: Model): number | null {
  const lastUse = new Map<number, number>();
  graph.nodes.forEach((node, index) => node.inputs.forEach((input) => lastUse.set(input.id, index)));
  for (const { value } of graph.outputs) lastUse.set(value.id, graph.nodes.length);
  const owned = new Set([...graph.parameters, ...graph.constants].map(({ value }) => value.id));
  const dying = new Map<number, Value[]>();
  const live = (value: Value): void => {
    const at = lastUse.get(value.id) ?? -1;
    dying.set(at, [...(dying.get(at) ?? []), value]);
  };
  const inputs = graph.inputs.map(({ value }) => value);
  inputs.forEach(live);
  let now = total(inputs.map(bytes));
  let most = now;
  for (const [index, node] of graph.nodes.entries()) {
    const made = node.outputs.filter((output) => !owned.has(output.id));
    made.forEach(live);
    const size = total(made.map(bytes));
    if (now === null || most === null || size === null) return null;
    now += size;
    most = Math.max(most, now);
    now -= total((dying.get(index) ?? []).map(bytes)) ?? 0;
  }
  return most;
}

function sizeAtBatchOne(dim: Dim): number {
  return evaluate(atMost(dim), { N: 1 });
}

function elements(value: Value): number | null {
  return known(() => value.type.shape.reduce<number>((product, dim) => product * sizeAtBatchOne(dim), 1));
}

function bytes(value: Value): number | null {
  const count = elements(value);
  return count === null ? null : count * elementBytes(value.type.dtype);
}

/** Null where a size is not known before the model runs. */
function known(compute: () => number): number | null {
  try {
    return compute();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function total(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce<number | null>((sum, number) => (sum === null || number === null ? null : sum + number), 0);
}

function shapeOf(value: Value | undefined): (number | string)[] {
  return (value?.type.shape ?? []).map((dim) => (isSymbolic(dim) ? formatDim(dim) : dim));
}
