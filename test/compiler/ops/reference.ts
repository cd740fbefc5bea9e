/**
 * What every operator computes, written again as plain loops in float64 from the definitions in the literature: what
 * the compiler emits is held against it. Nothing here is shared with the compiler.
 */

export interface Array4 {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** A result, and how large the largest term was that cancels in it, where the result may be far smaller. */
interface Result extends Array4 {
  readonly terms?: number;
}

type Options = Readonly<Record<string, unknown>>;
type Rule = (inputs: readonly Array4[], options: Options) => Result;

const pair = (options: Options, name: string, fallback: number): readonly [number, number] =>
  (options[name] as readonly [number, number] | undefined) ?? [fallback, fallback];

/** A tensor of this shape, filled from its indices. */
function build(shape: readonly number[], at: (...index: number[]) => number): Array4 {
  const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
  const index = shape.map(() => 0);
  for (let flat = 0; flat < data.length; flat += 1) {
    data[flat] = at(...index);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

/** The element; undefined outside of the tensor. */
function get({ shape, data }: Array4, ...index: number[]): number | undefined {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis += 1) {
    if (index[axis]! < 0 || index[axis]! >= shape[axis]!) return undefined;
    flat = flat * shape[axis]! + index[axis]!;
  }
  return data[flat];
}

/** Linear between the four values round a place; edges continue outwards. */
function between(x: Array4, image: number, channel: number, y: number, z: number): number {
  const [, , h, w] = x.shape as [number, number, number, number];
  const at = (row: number, column: number): number =>
    get(x, image, channel, Math.min(Math.max(row, 0), h - 1), Math.min(Math.max(column, 0), w - 1))!;
  const [top, left] = [Math.floor(y), Math.floor(z)];
  const [v, u] = [y - top, z - left];
  return (
    (1 - v) * ((1 - u) * at(top, left) + u * at(top, left + 1)) +
    v * ((1 - u) * at(top + 1, left) + u * at(top + 1, left + 1))
  );
}

const map = (f: (x: number, options: Options) => number): Rule => {
  return ([x], options) => ({ shape: x!.shape, data: Float64Array.from(x!.data, (value) => f(value, options)) });
};

const padding = (options: Options, kernel: readonly number[], dilation: readonly number[]): readonly number[] =>
  (options["pad"] as readonly number[] | undefined) ??
  kernel.map((size, axis) => Math.floor((size - 1) / 2) * dilation[axis]!);

const conv: Rule = ([x, weight, bias], options) => {
  const [n, c, h, w] = x!.shape as [number, number, number, number];
  const [out, perGroup, kh, kw] = weight!.shape as [number, number, number, number];
  const [[sh, sw], [dh, dw]] = [pair(options, "stride", 1), pair(options, "dilation", 1)];
  const [ph, pw] = padding(options, [kh, kw], [dh, dw]) as [number, number];
  const groups = (options["groups"] as number | undefined) ?? 1;
  const height = Math.floor((h + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
  const width = Math.floor((w + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
  return build([n, out, height, width], (image, channel, row, column) => {
    const first = Math.floor(channel / (out / groups)) * (c / groups);
    let sum = bias === undefined ? 0 : bias.data[channel]!;
    for (let k = 0; k < perGroup; k += 1) {
      for (let i = 0; i < kh; i += 1) {
        for (let j = 0; j < kw; j += 1) {
          const value = get(x!, image, first + k, row * sh - ph + i * dh, column * sw - pw + j * dw) ?? 0;
          sum += value * get(weight!, channel, k, i, j)!;
        }
      }
    }
    return sum;
  });
};

/** Each value is spread by the kernel: what torch's documentation calls the gradient of a convolution. */
const convTranspose: Rule = ([x, weight, bias], options) => {
  const [n, c, h, w] = x!.shape as [number, number, number, number];
  const [, perGroup, kh, kw] = weight!.shape as [number, number, number, number];
  const [[sh, sw], [dh, dw]] = [pair(options, "stride", 1), pair(options, "dilation", 1)];
  const pads = (options["pad"] as number[] | undefined) ?? [
    Math.floor((kh - 1) / 2) * dh,
    Math.floor((kw - 1) / 2) * dw,
  ];
  const [mh, mw] = pair(options, "output_pad", 0);
  const groups = (options["groups"] as number | undefined) ?? 1;
  const height = (h - 1) * sh - 2 * pads[0]! + dh * (kh - 1) + mh + 1;
  const width = (w - 1) * sw - 2 * pads[1]! + dw * (kw - 1) + mw + 1;
  const y = build([n, groups * perGroup, height, width], (_image, channel) => bias?.data[channel] ?? 0);
  const sums = y.data as Float64Array;
  build([n, c, h, w, perGroup, kh, kw], (image, channel, row, column, out, i, j) => {
    const to = Math.floor(channel / (c / groups)) * perGroup + out;
    const [down, across] = [row * sh - pads[0]! + i * dh, column * sw - pads[1]! + j * dw];
    if (down < 0 || down >= height || across < 0 || across >= width) return 0;
    const at = ((image * groups * perGroup + to) * height + down) * width + across;
    sums[at]! += get(x!, image, channel, row, column)! * get(weight!, channel, out, i, j)!;
    return 0;
  });
  return y;
};

/** (x - mean) / sqrt(variance + eps) * weight + bias over the values that `key` gives the same number. */
const normalise =
  (key: (index: readonly number[], x: Array4, options: Options) => number): Rule =>
  ([x, weight, bias], options) => {
    const eps = (options["eps"] as number | undefined) ?? 1e-5;
    const parts = new Map<number, number[]>();
    build(x!.shape, (...index) => {
      const part = key(index, x!, options);
      parts.set(part, [...(parts.get(part) ?? []), get(x!, ...index)!]);
      return 0;
    });
    const statistics = new Map(
      [...parts].map(([part, values]) => {
        const mean = sumOf(values) / values.length;
        return [part, [mean, sumOf(values.map((value) => (value - mean) ** 2)) / values.length]] as const;
      }),
    );
    let terms = 0;
    const y = build(x!.shape, (...index) => {
      const [mean, variance] = statistics.get(key(index, x!, options)) as readonly [number, number];
      const gain = weight!.data[index[1]!]! / Math.sqrt(variance + eps);
      terms = Math.max(terms, Math.abs(gain * mean));
      return (get(x!, ...index)! - mean) * gain + bias!.data[index[1]!]!;
    });
    return { ...y, terms };
  };

/** Caffe's pooling_layer.cpp, where `ceil` is set: up, then one less if the last window begins beyond the padding. */
function pooledSize(size: number, kernel: number, stride: number, pad: number, ceil: boolean): number {
  const exact = (size + 2 * pad - kernel) / stride;
  if (!ceil) return Math.floor(exact) + 1;
  const windows = Math.ceil(exact) + 1;
  return (windows - 1) * stride >= size + pad ? windows - 1 : windows;
}

const pool = (reduce: (seen: number[], counted: number) => number): Rule => {
  return ([x], options) => {
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const [[kh, kw], [sh, sw]] = [pair(options, "kernel", 1), pair(options, "stride", 1)];
    const [ph, pw] = padding(options, [kh, kw], [1, 1]) as [number, number];
    const ceil = options["ceil"] === true;
    const shape = [n, c, pooledSize(h, kh, sh, ph, ceil), pooledSize(w, kw, sw, pw, ceil)];
    return build(shape, (image, channel, row, column) => {
      const seen: number[] = [];
      let counted = 0;
      for (let i = row * sh - ph; i < row * sh - ph + kh; i += 1) {
        for (let j = column * sw - pw; j < column * sw - pw + kw; j += 1) {
          const value = get(x!, image, channel, i, j);
          if (value !== undefined) seen.push(value);
          if (i < h + ph && j < w + pw) counted += 1;
        }
      }
      return reduce(seen, options["count_padding"] === true ? counted : seen.length);
    });
  };
};

const overMap = (reduce: (values: number[]) => number): Rule => {
  return ([x]) => {
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    return build([n, c, 1, 1], (image, channel) => {
      const start = (image * c + channel) * h * w;
      return reduce(Array.from(x!.data).slice(start, start + h * w));
    });
  };
};

const merge = (f: (a: number, b: number) => number): Rule => {
  return (inputs) =>
    inputs.reduce((a, b) => {
      const shape = a.shape.map((size, axis) => Math.max(size, b.shape[axis]!));
      const clip = (index: number[], like: Array4): number[] =>
        index.map((i, axis) => Math.min(i, like.shape[axis]! - 1));
      return build(shape, (...index) => f(get(a, ...clip(index, a))!, get(b, ...clip(index, b))!));
    });
};

/** erf by its Taylor series, which converges everywhere; enough terms for |x| < 6. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n += 1) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** [O, C] as filters of one pixel. */
const filtersOf = ({ shape, data }: Array4): Array4 => ({ shape: [...shape, 1, 1], data });

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Inputs are the data, then the layer's parameters. */
export const REFERENCE: Readonly<Record<string, Rule>> = {
  conv,
  conv_transpose: convTranspose,
  fc: ([x, weight, bias], options) => {
    if (options["each"] === "pixel") return conv([{ ...x! }, filtersOf(weight!), ...(bias ? [bias] : [])], {});
    const [n, values] = [x!.shape[0]!, x!.shape.slice(1).reduce((a, b) => a * b, 1)];
    let terms = 0;
    const y = build([n, weight!.shape[0]!], (image, output) => {
      let sum = bias === undefined ? 0 : bias.data[output]!;
      for (let k = 0; k < values; k += 1) {
        const term = x!.data[image * values + k]! * weight!.data[output * values + k]!;
        terms = Math.max(terms, Math.abs(term));
        sum += term;
      }
      return sum;
    });
    return { ...y, terms };
  },
  bn: ([x, weight, bias, mean, variance], options) =>
    build(x!.shape, (...index) => {
      const c = index[1]!;
      const eps = (options["eps"] as number | undefined) ?? 1e-5;
      const normal = (get(x!, ...index)! - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + eps);
      return normal * weight!.data[c]! + bias!.data[c]!;
    }),
  // An example and a place: all places but the channel's.
  layer_norm: normalise(([n, , ...place], { shape }) =>
    place.reduce((at, index, axis) => at * shape[axis + 2]! + index, n!),
  ),
  group_norm: normalise(([n, channel], { shape }, options) => {
    const groups = options["groups"] as number;
    return n! * groups + Math.floor(channel! / (shape[1]! / groups));
  }),
  l2_norm: ([x], options) =>
    build(x!.shape, (image, channel, ...place) => {
      let squares = 0;
      for (let c = 0; c < x!.shape[1]!; c += 1) squares += get(x!, image, c, ...place)! ** 2;
      const eps = (options["eps"] as number | undefined) ?? 1e-12;
      return get(x!, image, channel, ...place)! / Math.max(Math.sqrt(squares), eps);
    }),
  scale: ([x, weight]) => build(x!.shape, (...index) => get(x!, ...index)! * weight!.data[index[1]!]!),
  prelu: ([x, weight]) =>
    build(x!.shape, (...index) => {
      const value = get(x!, ...index)!;
      return value > 0 ? value : value * weight!.data[weight!.data.length === 1 ? 0 : index[1]!]!;
    }),
  relu: map((x) => Math.max(x, 0)),
  leaky_relu: map((x, options) => (x >= 0 ? x : x * ((options["slope"] as number | undefined) ?? 0.01))),
  relu6: map((x) => Math.min(Math.max(x, 0), 6)),
  sigmoid: map(logistic),
  hard_sigmoid: map((x) => Math.min(Math.max(x / 6 + 0.5, 0), 1)),
  square_root: map(Math.sqrt),
  tanh: map((x) => 2 * logistic(2 * x) - 1),
  silu: map((x) => x * logistic(x)),
  hard_swish: map((x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6),
  gelu: map((x) => (x * (1 + erf(x / Math.SQRT2))) / 2),
  softmax: ([x]) =>
    build(x!.shape, (image, channel, ...rest) => {
      let total = 0;
      for (let c = 0; c < x!.shape[1]!; c += 1) total += Math.exp(get(x!, image, c, ...rest)!);
      return Math.exp(get(x!, image, channel, ...rest)!) / total;
    }),
  max_pool: pool((seen) => Math.max(...seen)),
  avg_pool: pool((seen, counted) => sumOf(seen) / counted),
  global_avg_pool: overMap((values) => sumOf(values) / values.length),
  global_max_pool: overMap((values) => Math.max(...values)),
  subsample: ([x], options) => {
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const [sh, sw] = pair(options, "stride", 1);
    return build([n, c, Math.ceil(h / sh), Math.ceil(w / sw)], (i, j, row, column) =>
      get(x!, i, j, row * sh, column * sw)!,
    );
  },
  pad: ([x], options) => {
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const [a, b] = pair(options, "amount", 0);
    return build([n, c, h + 2 * a, w + 2 * b], (i, j, row, column) => get(x!, i, j, row - a, column - b) ?? 0);
  },
  crop: ([x], options) => {
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const [a, b] = pair(options, "size", 1);
    const [top, left] = [Math.floor((h - a) / 2), Math.floor((w - b) / 2)];
    return build([n, c, a, b], (i, j, row, column) => get(x!, i, j, top + row, left + column)!);
  },
  crop_like: ([x, like], options) => REFERENCE["crop"]!([x!], { ...options, size: like!.shape.slice(2) }),
  channel_shuffle: ([x], options) => {
    const perGroup = x!.shape[1]! / (options["groups"] as number);
    const groups = options["groups"] as number;
    return build(x!.shape, (image, channel, ...place) =>
      get(x!, image, (channel % groups) * perGroup + Math.floor(channel / groups), ...place)!,
    );
  },
  pad_channels: ([x], options) => {
    const [n, , ...rest] = x!.shape;
    return build([n!, options["channels"] as number, ...rest], (...index) => get(x!, ...index) ?? 0);
  },
  slice_channels: ([x], options) => {
    const [from, to] = [options["from"] as number, options["to"] as number];
    const [n, , ...rest] = x!.shape;
    return build([n!, to - from, ...rest], (image, channel, ...index) => get(x!, image, from + channel, ...index)!);
  },
  upsample: ([x], options) => {
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const [a, b] = pair(options, "factor", 1);
    return build([n, c, a * h, b * w], (i, j, row, column) => {
      if (options["mode"] !== "bilinear") return get(x!, i, j, Math.floor(row / a), Math.floor(column / b))!;
      return between(x!, i, j, (row + 0.5) / a - 0.5, (column + 0.5) / b - 0.5);
    });
  },
  rescale: ([x], options) => {
    const factor = options["factor"] as number;
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    // A hair more, so that a third of nine is three.
    const [height, width] = [Math.floor(h * factor + 1e-9), Math.floor(w * factor + 1e-9)];
    return build([n, c, height, width], (i, j, row, column) =>
      between(x!, i, j, ((row + 0.5) * h) / height - 0.5, ((column + 0.5) * w) / width - 0.5),
    );
  },
  resize_like: ([x, like], options) => {
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const [, , height, width] = like!.shape as [number, number, number, number];
    return build([n, c, height, width], (i, j, row, column) => {
      if (options["mode"] === "bilinear") {
        return between(x!, i, j, ((row + 0.5) * h) / height - 0.5, ((column + 0.5) * w) / width - 0.5);
      }
      return get(x!, i, j, Math.floor((row * h) / height), Math.floor((column * w) / width))!;
    });
  },
  dropout: ([x]) => x!,
  drop_path: ([x]) => x!,
  identity: ([x]) => x!,
  flatten: ([x]) => ({ shape: [x!.shape[0]!, x!.shape.slice(1).reduce((a, b) => a * b, 1)], data: x!.data }),
  add: merge((a, b) => a + b),
  multiply: merge((a, b) => a * b),
  maximum: merge(Math.max),
  average: (inputs) => {
    const sum = merge((a, b) => a + b)(inputs, {});
    return { shape: sum.shape, data: Float64Array.from(sum.data, (value) => value / inputs.length) };
  },
  concat: (inputs) => {
    const [n, , ...rest] = inputs[0]!.shape;
    const channels = sumOf(inputs.map((input) => input.shape[1]!));
    return build([n!, channels, ...rest], (image, channel, ...index) => {
      let rest = channel;
      for (const input of inputs) {
        if (rest < input.shape[1]!) return get(input, image, rest, ...index)!;
        rest -= input.shape[1]!;
      }
      throw new Error("unreachable");
    });
  },
};
