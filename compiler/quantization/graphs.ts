/** The graphs that run while a network is calibrated, each ready to be emitted. */
import type { Graph } from "../ir/types.js";
import { FOLDING_PASSES, runPasses, WRITING_PASSES } from "../passes/index.js";
import { measuringErrors, measuringRanges, measuringValues } from "./measuring.js";
import type { Quantization } from "./quantization.js";
import type { Range } from "./scale.js";

/** A network's graph with its batch norms folded: what is measured, and what is then written with 8-bit numbers. */
export function foldedGraph(graph: Graph): Graph {
  return runPasses(FOLDING_PASSES, graph, {});
}

/** Of a folded graph: as it is, or with 8-bit numbers. */
export function inferenceGraph(folded: Graph, quantization?: Quantization): Graph {
  return runPasses(WRITING_PASSES, folded, quantization ? { quantization } : {});
}

/** Its outputs: the greatest number of each value, and the least with the sign changed. */
export function rangesGraph(folded: Graph): Graph {
  return inferenceGraph(measuringRanges(folded));
}

/** Its outputs: the values. */
export function valuesGraph(folded: Graph): Graph {
  return inferenceGraph(measuringValues(folded));
}

/** Its outputs: the signal and the noise of each layer with a weight. */
export function errorsGraph(folded: Graph, ranges: ReadonlyMap<string, Range>): Graph {
  return inferenceGraph(measuringErrors(folded, ranges));
}
