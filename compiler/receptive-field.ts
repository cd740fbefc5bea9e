/** How much of the network's input each value of a map depends on, and how far apart two of them look. */
import type { Node, Value } from "./ir/types.js";
import { operator } from "./ops/index.js";

/** Along y and x, in pixels of the network's input. */
type Pair = readonly [number, number];

/**
 * Of a map: the side of what one of its values sees, and the distance between what two neighbours see; `whole` where each
 * sees all of the input. As is usual, normalisation is not counted, which looks at more in training alone or at all.
 */
export interface ReceptiveField {
  readonly size: Pair | "whole";
  readonly stride: Pair;
}

/**
 * The receptive fields of maps, by the number of the value; what is no map, or comes of regions, has none. Araujo et al.
 * 2019 (distill.pub/2019/computing-receptive-fields) have the rule: a window of k adds k - 1 strides.
 *
 * @param owned numbers of the network's parameters, which are no maps
 */
export function receptiveFields(
  nodes: readonly Node[],
  owned: ReadonlySet<number>,
): ReadonlyMap<number, ReceptiveField> {
  const fields = new Map<number, ReceptiveField>();
  const made = new Set(nodes.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
  const fieldOf = (value: Value): ReceptiveField | undefined => {
    const known = fields.get(value.id);
    if (known || made.has(value.id) || owned.has(value.id) || value.type.shape.length !== 4) return known;
    return { size: [1, 1], stride: [1, 1] };
  };
  for (const node of nodes) {
    const { shapeOnly = [] } = operator(node.op);
    const seen = node.inputs.flatMap((input, i) => (shapeOnly.includes(i) ? [] : (fieldOf(input) ?? [])));
    const [first] = seen;
    const map = node.outputs[0];
    if (!first || !map) continue;
    const field = through(node, { size: widest(seen), stride: first.stride }, fieldOf);
    if (field) for (const output of node.outputs) fields.set(output.id, field);
  }
  return fields;
}

function widest(fields: readonly ReceptiveField[]): Pair | "whole" {
  let size: Pair = [1, 1];
  for (const each of fields) {
    if (each.size === "whole") return "whole";
    size = [Math.max(size[0], each.size[0]), Math.max(size[1], each.size[1])];
  }
  return size;
}

function through(
  node: Node,
  before: ReceptiveField,
  fieldOf: (value: Value) => ReceptiveField | undefined,
): ReceptiveField | undefined {
  const [input, output] = [node.inputs[0]!.type.shape, node.outputs[0]!.type.shape];
  const isMap = input.length === 4 && output.length === 4;
  const hasWindow = node.attributes["kernel"] !== undefined;
  // A map that became a row of numbers for each image, or one value for each channel.
  const isGone = output.length === 2 && (input.length === 4 || before.size === "whole");
  const isPooled = isMap && !hasWindow && output[2] === 1 && output[3] === 1 && (input[2] !== 1 || input[3] !== 1);
  if (isGone || isPooled) return { size: "whole", stride: before.stride };
  if (!isMap) return undefined;
  const { scale, layer } = operator(node.op);
  const like = layer?.strideOf === undefined ? undefined : node.inputs[1] && fieldOf(node.inputs[1]);
  const factor: Pair = scale?.(node.attributes) ?? (like ? ratio(like.stride, before.stride) : [1, 1]);
  const taps = ([0, 1] as const).map((axis) => valuesSeen(node, axis, factor[axis]));
  const { size, stride } = before;
  return {
    size: size === "whole" ? size : [size[0] + (taps[0]! - 1) * stride[0], size[1] + (taps[1]! - 1) * stride[1]],
    stride: [stride[0] * factor[0], stride[1] * factor[1]],
  };
}

const ratio = (a: Pair, b: Pair): Pair => [a[0] / b[0], a[1] / b[1]];

/** How many of its input's values, side by side, a value of the output depends on. */
function valuesSeen({ attributes }: Node, axis: 0 | 1, factor: number): number {
  const at = (name: string, without: number): number => {
    const value = attributes[name];
    return Array.isArray(value) ? ((value as readonly number[])[axis] ?? without) : without;
  };
  const window = at("dilation", 1) * (at("kernel", 1) - 1) + 1;
  // Spread by its stride a transposed convolution's input has gaps.
  if (factor < 1) return attributes["mode"] === "bilinear" ? 2 : Math.ceil(window * factor);
  return window;
}
