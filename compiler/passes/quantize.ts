import type { Value } from "../ir/types.js";
import { planQuantization } from "../quantization/plan.js";
import { Quantizer } from "../quantization/quantizer.js";
import type { Pass } from "./pass.js";

/**
 * 8-bit numbers as ONNX's QDQ form has them: what a layer takes is dequantized before it, what it gives quantized behind it, and a
 * runtime makes one integer layer of the three. Of layers that stay in fp32 some have their weights stored as 8-bit numbers.
 */
export const quantize: Pass = {
  name: "int8",
  run(graph, { quantization }) {
    const [first] = graph.nodes;
    if (!quantization || !first) return graph;
    const plan = planQuantization(graph, (path) => quantization.kept.has(path));
    const quantizer = new Quantizer(graph, plan, quantization.ranges, quantization.stored);
    /** What values of the graph have become. */
    const current = new Map<number, Value>();
    const now = (value: Value): Value => current.get(value.id) ?? value;
    const give = (original: Value, value: Value, place: { path: string; span: typeof first.span }): void => {
      const group = plan.values.get(original.id);
      current.set(original.id, group ? quantizer.rounded(value, group, place) : value);
    };
    for (const { name, value } of graph.inputs) give(value, value, { path: name, span: first.span });
    const absorbed = new Set(plan.cutOff.values());
    for (const original of graph.nodes) {
      if (absorbed.has(original)) continue;
      const { outputs } = quantizer.layer(original, now);
      const given = (plan.cutOff.get(original) ?? original).outputs;
      given.forEach((output, index) => give(output, outputs[index]!, original));
    }
    return {
      ...graph,
      outputs: graph.outputs.map(({ name, value }) => ({ name, value: now(value) })),
      parameters: [...graph.parameters, ...quantizer.parameters],
      constants: [...graph.constants, ...quantizer.constants],
      nodes: quantizer.nodes,
    };
  },
};
