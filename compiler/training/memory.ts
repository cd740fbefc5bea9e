/** How much memory a graph takes, from the lives of its values: known before anything runs. */
import { atMost, evaluate } from "../ir/dim.js";
import type { Graph, Value } from "../ir/types.js";
import { elementBytes } from "../ir/dtype.js";
import { isInside } from "./places.js";
import { MOST_CELLS, type TrainingGraph } from "./contract.js";

/** All in bytes. */
export interface TrainingMemory {
  /** Parameters, statistics, momenta: what stays from step to step. */
  readonly state: number;
  /** Images and labels of one batch, and other inputs. */
  readonly inputs: number;
  /**
   * The most that all other values take at once, each from the node that makes it to the last that uses it. What
   * operators need besides, and next values of the state while the old ones live, are in it.
   */
  readonly peak: number;
  /** Path of the node at which the peak is. */
  readonly at: string;
  /** Of a detector: the objects in an image with which all is counted. */
  readonly objects?: number;
  /** Of one that learns masks: the cells of a side of an object's mask. */
  readonly cells?: number;
  /** Of one that learns from kept proposals: how many of an image. */
  readonly proposals?: number;
}

/** In an image that is full: COCO's images have 7 objects on average. */
const COUNTED = { objects: 20, cells: MOST_CELLS, proposals: 2000 } as const;

export function trainingMemory({ graph, reads }: TrainingGraph): TrainingMemory {
  const names = new Set(reads.map((each) => each.name));
  const sum = (wanted: boolean): number =>
    graph.inputs.filter(({ name }) => names.has(name) === wanted).reduce((total, each) => total + bytes(each.value), 0);
  const takes = (what: string): boolean => graph.inputs.some(({ name }) => isInside(name, what));
  const { objects, cells, proposals } = COUNTED;
  return {
    state: sum(true),
    inputs: sum(false),
    ...peakMemory(graph),
    ...(takes("objects") && { objects }),
    ...(takes("objects.masks") && { cells }),
    ...(takes("proposals") && { proposals }),
  };
}

/** The most that the values which a graph makes take at once. Outputs live to the end. */
export function peakMemory(graph: Graph): { readonly peak: number; readonly at: string } {
  const lastUse = new Map<number, number>();
  graph.nodes.forEach((node, index) => node.inputs.forEach((input) => lastUse.set(input.id, index)));
  graph.outputs.forEach(({ value }) => lastUse.set(value.id, graph.nodes.length));
  const dying = new Map<number, number>();
  let [now, peak, at] = [0, 0, ""];
  for (const [index, node] of graph.nodes.entries()) {
    for (const output of node.outputs) {
      const size = bytes(output);
      now += size;
      const end = lastUse.get(output.id) ?? index;
      dying.set(end, (dying.get(end) ?? 0) + size);
    }
    if (now > peak) [peak, at] = [now, node.path];
    now -= dying.get(index) ?? 0;
  }
  return { peak, at };
}

function bytes({ type }: Value): number {
  return type.shape.reduce<number>((size, dim) => size * evaluate(atMost(dim), COUNTED), elementBytes(type.dtype));
}
