/** Gradient of a maximum over windows in the blocked layout: to the maxima of rows, and from those to the values. */
import { int } from "../attributes.js";
import { maxPoolGradient } from "../gradients/max_pool_gradient.js";
import type { Operator } from "../operator.js";
import { alongAxis, type Windows } from "./axes.js";
import { writeDepthwise } from "./depthwise.js";
import { interleave } from "./interleave.js";
import { inputNames, POINTWISE, steps, type Steps } from "./steps.js";

/**
 * dy, x, y, blocked, to dx, blocked. The first maximum of a window lies in the first of its rows whose own maximum is as
 * large, and is the first in that row: so both steps go along one axis, with fewer comparisons than a window has values.
 */
export const blockedMaxPoolGradient: Operator = {
  name: "blocked_max_pool_gradient",
  doc: "Gradient of a maximum over windows in the blocked layout.",
  infer: (inputs, attributes) => maxPoolGradient.infer(inputs, attributes),
  lower(node, emit) {
    const s = steps(emit);
    const [dy, x, y] = inputNames(node, emit) as [string, string, string];
    const block = int(node.attributes, "block");
    const [down, across] = [alongAxis(node, 0, block), alongAxis(node, 1, block)];
    const maxima = s.blocked("MaxPool", [x], {
      ...POINTWISE,
      kernel_shape: [1, across.kernel],
      strides: [1, across.stride],
      pads: across.pads,
    });
    const ofMaxima = writeAlong(down, { values: maxima, maxima: y, gradient: dy }, s);
    writeAlong(across, { values: x, maxima, gradient: ofMaxima }, s, emit.name(node.outputs[0]!));
  },
};

interface Maps {
  readonly values: string;
  readonly maxima: string;
  /** Of the maxima. */
  readonly gradient: string;
}

/** The gradient of values from that of the maxima of windows along an axis. */
function writeAlong(windows: Windows, maps: Maps, s: Steps, output?: string): string {
  const shares = writeShares(windows, maps, s);
  const parts = Array.from({ length: windows.stride }, (_, remainder) => writeSum(shares, remainder, windows, s));
  const { axis, shape, block } = windows;
  return interleave(axis === 0 ? parts.map((part) => [part]) : [parts], shape, block, s, output);
}

/** What goes to each tap: the gradient where it is the maximum and no tap before it is. The last one has what is left. */
function writeShares(windows: Windows, { values, maxima, gradient }: Maps, s: Steps): readonly string[] {
  const { axis, kernel, stride, pads, shape, block } = windows;
  const shares: string[] = [];
  let rest = gradient;
  for (let tap = 0; tap < kernel - 1; tap += 1) {
    const isMaximum = writeDepthwise(
      values,
      oneHot(kernel, tap, -1),
      {
        channels: shape[1],
        block,
        pads,
        kernel: lying(axis, kernel),
        strides: lying(axis, stride),
        addend: maxima,
        isZero: true,
      },
      s,
    );
    const share = s.onnx("Mul", [withoutPadding(isMaximum, tap, windows, s), rest]);
    shares.push(share);
    rest = s.onnx("Sub", [rest, share]);
  }
  return [...shares, rest];
}

/** 0 for the windows of which this tap lies in the padding: it is seen as 0 there, but is no value. */
function withoutPadding(isMaximum: string, tap: number, windows: Windows, s: Steps): string {
  const { axis, stride, pad, length, count, shape, block } = windows;
  const inside = Array.from({ length: count }, (_, window) => {
    const at = window * stride + tap - pad;
    return at >= 0 && at < length ? 1 : 0;
  });
  if (!inside.includes(0)) return isMaximum;
  const [batch, channels, height, width] = shape;
  const planes = (batch * channels) / block;
  // A row goes by one number; a column is so short that a whole row of numbers goes by as many.
  const [flat, factors] =
    axis === 0
      ? [[planes, count, width * block], s.floats(inside, [count, 1])]
      : [
          [planes * height, count * block],
          s.floats(inside.flatMap((each) => Array.from({ length: block }, () => each))),
        ];
  const kept = s.onnx("Mul", [s.reshape(isMaximum, flat), factors]);
  return s.reshape(kept, axis === 0 ? [batch, channels, count, width] : [batch, channels, height, count]);
}

/** The gradient of those values whose place has this remainder by the stride: the sum of what windows give to them. */
function writeSum(
  shares: readonly string[],
  remainder: number,
  { axis, stride, pad, shape, block }: Windows,
  s: Steps,
): string | undefined {
  let sum: string | undefined;
  for (let tap = (remainder + pad) % stride; tap < shares.length; tap += stride) {
    const share = shares[tap]!;
    // Which window it is, seen from the one that begins at the same multiple of the stride.
    const further = (remainder + pad - tap) / stride;
    if (further === 0) sum = sum === undefined ? share : s.onnx("Add", [sum, share]);
    else {
      const size = Math.abs(further) + 1;
      const [before, after] = [Math.max(-further, 0), Math.max(further, 0)];
      sum = writeDepthwise(
        share,
        oneHot(size, after, 1),
        {
          channels: shape[1],
          block,
          kernel: lying(axis, size),
          pads: axis === 0 ? [before, 0, after, 0] : [0, before, 0, after],
          ...(sum !== undefined && { addend: sum }),
        },
        s,
      );
    }
  }
  return sum;
}

function lying(axis: 0 | 1, size: number): readonly [number, number] {
  return axis === 0 ? [size, 1] : [1, size];
}

function oneHot(size: number, at: number, value: number): readonly number[] {
  return Array.from({ length: size }, (_, index) => (index === at ? value : 0));
}
