/** Small graphs for tests, layer by layer. */
import { symbol, type Dim } from "../../../compiler/ir/dim.js";
import { tensor, value } from "../../../compiler/ir/build.js";
import { layer } from "../../../compiler/ops/node.js";
import type { Attributes, Graph, NamedValue, Node, Parameter, Value } from "../../../compiler/ir/types.js";

export const SPAN = { file: "test.resnet", start: 0, end: 0 };

export interface GraphMaker {
  input(name: string, shape: readonly Dim[]): Value;
  /** The output of a layer at this path, by default the operator's name and a number. */
  layer(op: string, inputs: readonly Value[], attributes?: Attributes, path?: string): Value;
}

/** The graph of what `build` makes; its result is the output `output`, or outputs by name. */
export function graphOf(build: (make: GraphMaker) => Value | Record<string, Value>, name = "test"): Graph {
  const inputs: NamedValue[] = [];
  const parameters: Parameter[] = [];
  const nodes: Node[] = [];
  const result = build({
    input(inputName, shape) {
      const made = value(tensor(shape), inputName);
      inputs.push({ name: inputName, value: made });
      return made;
    },
    layer(op, from, attributes = {}, path = `${op}${nodes.length + 1}`) {
      const made = layer(op, from, attributes, path, SPAN);
      parameters.push(...made.parameters);
      nodes.push(made.node);
      return made.node.outputs[0]!;
    },
  });
  const outputs = "type" in result && "id" in result ? { output: result as Value } : result;
  return {
    name,
    inputs,
    parameters,
    constants: [],
    nodes,
    outputs: Object.entries(outputs).map(([outputName, made]) => ({ name: outputName, value: made })),
  };
}

/** The one layer, between inputs of these shapes and `output`. */
export function layerGraph(op: string, shapes: readonly (readonly Dim[])[], attributes: Attributes = {}): Graph {
  return graphOf((make) =>
    make.layer(
      op,
      shapes.map((shape, index) => make.input(shapes.length === 1 ? "x" : `x${index + 1}`, shape)),
      attributes,
      op,
    ),
  );
}

/** A small residual network with every kind of shortcut and stage in it, symbolic in batch, height and width. */
export function smallResidualNetwork(size: readonly [Dim, Dim] = [symbol("H"), symbol("W")], channels = 8): Graph {
  return graphOf((make) => {
    const convBn = (x: Value, path: string, width: number, stride = 1, kernel = 3): Value =>
      make.layer(
        "bn",
        [
          make.layer(
            "conv",
            [x],
            { kernel: [kernel, kernel], channels: width, stride: [stride, stride] },
            `${path}.conv`,
          ),
        ],
        {},
        `${path}.bn`,
      );
    const relu = (x: Value, path: string): Value => make.layer("relu", [x], {}, `${path}.relu`);
    const image = make.input("image", [symbol("N"), 3, ...size]);
    const stem = relu(convBn(image, "conv1", channels, 2, 7), "conv1");
    const pooled = make.layer("max_pool", [stem], { kernel: [3, 3], stride: [2, 2] }, "conv2.max_pool");
    const first = convBn(relu(convBn(pooled, "conv2.0.a", channels), "conv2.0.a"), "conv2.0.b", channels);
    const identity = relu(make.layer("add", [first, pooled], {}, "conv2.0.add"), "conv2.0");
    const second = convBn(relu(convBn(identity, "conv3.0.a", 2 * channels, 2), "conv3.0.a"), "conv3.0.b", 2 * channels);
    const projection = convBn(identity, "conv3.0.shortcut", 2 * channels, 2, 1);
    const sum = relu(make.layer("add", [second, projection], {}, "conv3.0.add"), "conv3.0");
    const average = make.layer("global_avg_pool", [sum], {}, "head.global_avg_pool");
    const logits = make.layer("fc", [average], { channels: 10 }, "head.fc");
    return { probabilities: make.layer("softmax", [logits], {}, "head.softmax"), logits };
  }, "small");
}
