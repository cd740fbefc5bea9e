import { formula, sizes } from "./formula.js";
import { globalPool } from "./global_pool.js";

export const globalMaxPool = globalPool({
  name: "global_max_pool",
  doc: "Maximum over height and width, leaving 1x1.",
  label: "max pool",
  onnx: "GlobalMaxPool",
  // Of equal maxima the first gets it all, as in PyTorch.
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [x, y] = [node.inputs[0]!, node.outputs[0]!];
    const [batch, channels, height, width] = sizes(x) as [number, number, number, number];
    const flat = f.reshape(x, [batch * channels, height * width]);
    const wins = f.complement(f.less(flat, f.reshape(y, [batch * channels, 1])));
    const [place] = builder.apply("cumulative_sum", [wins], { axis: 1 });
    const first = f.times(wins, f.positive(f.affine(place!, -1, 1.5)));
    return [f.reshape(f.times(first, f.reshape(dy, [batch * channels, 1])), sizes(x))];
  },
});
