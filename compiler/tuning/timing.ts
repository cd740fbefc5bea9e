/** The graphs that are run to see how long an operation takes. */
import type { Graph } from "../ir/types.js";
import { formula } from "../ops/formula.js";
import { recorder } from "../ops/recorder.js";
import { meanOf } from "../training/probes.js";

/** Means in place of the outputs: the way back from the device is not what is measured, but that they are there. */
export function condensed(graph: Graph): Graph {
  const record = recorder({ path: "condensed" });
  const f = formula(record);
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: meanOf(f, value) }));
  const constants = [...graph.constants, ...record.constants];
  return { ...graph, nodes: [...graph.nodes, ...record.nodes], constants, outputs };
}

/** Gives the inputs of a graph as they are, under these names: on a device they are there then. */
export function upload(graph: Graph, name: (input: string) => string): Graph {
  const outputs = graph.inputs.map((input) => ({ name: name(input.name), value: input.value }));
  return { ...graph, nodes: [], constants: [], outputs };
}
