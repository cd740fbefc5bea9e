/**
 * 3x3 convolutions in fewer multiplications: Winograd's F(2x2, 3x3) (Lavin and Gray, arXiv:1509.09308, section 4.1),
 * Y = A' [(G g G') * (B' d B)] A for each 2x2 of the output, with 16 products in place of 36. For all tiles together each of
 * the 16 is a pointwise convolution of its own; B' d B are depthwise convolutions of two taps each way and stride 2.
 */
import { writeDepthwise } from "./depthwise.js";
import { interleave } from "./interleave.js";
import { POINTWISE, type Steps } from "./steps.js";

/** A convolution with a kernel of 3x3, stride 1, no dilation, and one row of zeros round its maps of `size`. */
export interface WinogradShape {
  readonly batch: number;
  /** Channels of the input, and of the output. */
  readonly channels: number;
  readonly out: number;
  readonly size: readonly [number, number];
  readonly block: number;
}

/** Channels from which it was measured to be faster, and pixels from which that makes up for the filters' transformation. */
const [CHANNELS, PIXELS] = [128, 1024];

export function gainsByWinograd({ batch, channels, out, size: [height, width] }: WinogradShape): boolean {
  const isEven = height % 2 === 0 && width % 2 === 0;
  return isEven && Math.min(channels, out) >= CHANNELS && batch * height * width >= PIXELS;
}

/** Rows of B', each as two taps: their factors, where the first lies in a tile, and how far apart they are. */
const INPUT: readonly {
  readonly factors: readonly [number, number];
  readonly first: number;
  readonly apart: number;
}[] = [
  { factors: [1, -1], first: 0, apart: 2 },
  { factors: [1, 1], first: 1, apart: 1 },
  { factors: [-1, 1], first: 1, apart: 1 },
  { factors: [1, -1], first: 1, apart: 2 },
];
const FILTER = [
  [1, 0, 0],
  [1 / 2, 1 / 2, 1 / 2],
  [1 / 2, -1 / 2, 1 / 2],
  [0, 0, 1],
];
const FOUR = [0, 1, 2, 3] as const;

/** Filters tap by tap: [9][out / block][channels / block][block][block of out], or the last tap first. */
export interface FilterTaps {
  readonly name: string;
  readonly isReversed: boolean;
}

/** @param x blocked */
export function writeWinograd(x: string, taps: FilterTaps, shape: WinogradShape, s: Steps, output: string): void {
  const { batch, out, size, block } = shape;
  const filters = writeFilters(taps, shape, s);
  const product = (row: number, column: number, addend?: string): string => {
    const tiles = writeTiles(x, shape, row, column, s);
    const inputs = [tiles, filters[4 * row + column]!, ...(addend === undefined ? [] : ["", addend])];
    return s.blocked("Conv", inputs, { ...POINTWISE, group: 1 });
  };
  // A' from the left, of a column: m0 + (m1 + m2), and m3 + (m2 - m1), which is its second row with the sign changed. A
  // convolution adds another map without a pass of its own; so is m2 - m1 made of m1 + m2.
  const columns = FOUR.map((column) => {
    const one = product(1, column);
    const sum = product(2, column, one);
    const difference = writeDepthwise(one, [-2], { channels: out, block, addend: sum }, s);
    return [product(0, column, sum), product(3, column, difference)] as const;
  });
  const [upper, lower] = [columns.map(([first]) => first), columns.map(([, second]) => second)] as [string[], string[]];
  const [add, subtract] = [
    (a: string, b: string) => s.onnx("Add", [a, b]),
    (a: string, b: string) => s.onnx("Sub", [a, b]),
  ];
  // A from the right. Products of the first column are negative, so that no sign is left to be changed.
  const parts = [
    [subtract(add(upper[1]!, upper[2]!), upper[0]!), subtract(subtract(upper[1]!, upper[2]!), upper[3]!)],
    [subtract(lower[0]!, add(lower[1]!, lower[2]!)), subtract(add(lower[2]!, lower[3]!), lower[1]!)],
  ];
  interleave(parts, [batch, out, ...size], block, s, output);
}

/** G g G' of all filters: 16 of [out / block][channels / block][block][block of out], negative in the first column. */
function writeFilters({ name, isReversed }: FilterTaps, { channels, out }: WinogradShape, s: Steps): readonly string[] {
  const matrix = FILTER.flatMap((down) =>
    FILTER.map((across, column) => {
      const factors = down.flatMap((a) => across.map((b) => (column === 0 ? -a * b : a * b)));
      return isReversed ? factors.reverse() : factors;
    }),
  ).flat();
  const all = s.onnx("MatMul", [s.floats(matrix, [16, 9]), s.reshape(name, [9, out * channels])]);
  return s.split(all, 16, 16).map((each) => s.reshape(each, [out, channels, 1, 1]));
}

/** One of the 16 values of B' d B, of all tiles. */
function writeTiles(x: string, { channels, block }: WinogradShape, row: number, column: number, s: Steps): string {
  const [down, across] = [INPUT[row]!, INPUT[column]!];
  const factors = down.factors.flatMap((a) => across.factors.map((b) => a * b));
  // Tiles are two apart; the first begins at the row of zeros before the map, the last ends at the one after it.
  const after = [down, across].map(({ first, apart }) => Math.max(0, first + apart - 2));
  const geometry = {
    kernel: [2, 2],
    strides: [2, 2],
    dilations: [down.apart, across.apart],
    pads: [1 - down.first, 1 - across.first, ...after],
  } as const;
  return writeDepthwise(x, factors, { channels, block, ...geometry }, s);
}
