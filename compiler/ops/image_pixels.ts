/**
 * An image as it is decoded, turned into a network's input: uint8 [N, H, W, C] to float32 [N, C, h, w]. Scaling is
 * Pillow's, an antialiased filter along the columns and then along the rows with whole levels between, as two products
 * with matrices that are computed from the image's size.
 */
import { flag, int, word } from "./attributes.js";
import { ShapeError, type Operator } from "./operator.js";
import { ints } from "./tensor/shape.js";
import { writer, type Writer } from "./write.js";

/** Half a filter's width in pixels of the smaller image. */
const SUPPORT: Readonly<Record<string, number>> = { bilinear: 1, bicubic: 2 };

export const imagePixels: Operator = {
  name: "image_pixels",
  doc: "Scales, cuts and normalises a decoded image.",
  fullPrecision: true,
  gradient: "none",
  infer([x], attributes) {
    if (x?.shape.length !== 4) throw new ShapeError("image_pixels: takes pixels [N, H, W, C]");
    const [height, width] = ints(attributes, "cut");
    return [{ dtype: "float32", shape: [x.shape[0]!, x.shape[3]!, height!, width!] }];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const { attributes } = node;
    const [image] = w.inputs as readonly [string];
    const cut = ints(attributes, "cut") as readonly [number, number];
    const from = [w.sizeOf(image, 1), w.sizeOf(image, 2)] as const;
    const scaled = scaledSize(w, from, ints(attributes, "to"), int(attributes, "shorter"), int(attributes, "longest"));
    const filter = word(attributes, "interpolation");
    const levels = w.cast(w.step("Transpose", [image], "planes", { perm: [0, 3, 1, 2] }), "float32", "levels");
    const columns = matrix(w, from[1], scaled[1], cut[1], filter, "columns");
    const rows = matrix(w, from[0], scaled[0], cut[0], filter, "rows");
    const across = whole(
      w,
      w.step("MatMul", [levels, w.step("Transpose", [columns], "turned", { perm: [1, 0] })], "across"),
    );
    const both = whole(w, w.step("MatMul", [rows, across], "down"));
    const ordered = flag(attributes, "bgr") ? w.step("Gather", [both, w.ints(2, 1, 0)], "bgr", { axis: 1 }) : both;
    const white = w.step(
      "Mul",
      [w.step("Div", [ordered, w.number(255)], "unit"), w.number(number(attributes["range"]))],
      "white",
    );
    const channel = (name: "mean" | "std"): string => {
      const values = ints(attributes, name);
      return w.numbers(values, [1, values.length, 1, 1]);
    };
    w.give("Div", [w.step("Sub", [white, channel("mean")], "centred"), channel("std")]);
  },
};

function number(value: unknown): number {
  if (typeof value !== "number") throw new TypeError("attribute range should be a number");
  return value;
}

/** Whole levels from 0 to 255. */
function whole(w: Writer, x: string): string {
  const rounded = w.step("Floor", [w.step("Add", [x, w.number(0.5)], "half")], "rounded");
  return w.step("Clip", [rounded, w.number(0), w.number(255)], "level");
}

/** Height and width, int64 [1] each: both given, or the shorter side's, or (neither) the image's own. */
function scaledSize(
  w: Writer,
  [height, width]: readonly [string, string],
  to: readonly number[],
  shorter: number,
  longest: number,
): readonly [string, string] {
  if (to.length === 2) return [w.ints(to[0]!), w.ints(to[1]!)];
  if (shorter === 0) return [height, width];
  const [short, long] = [w.step("Min", [height, width], "short"), w.step("Max", [height, width], "long")];
  let [low, high] = [
    w.ints(shorter),
    w.step("Div", [w.step("Mul", [long, w.ints(shorter)], "product"), short], "high"),
  ];
  if (longest > 0) {
    const isLong = w.step("Greater", [high, w.ints(longest)], "is_long");
    low = w.step("Where", [isLong, w.step("Div", [w.ints(longest * shorter), high], "less"), low], "low");
    high = w.step("Where", [isLong, w.ints(longest), high], "high");
  }
  const isWide = w.step("Less", [height, width], "is_wide");
  const side = (first: string, second: string, suffix: string): string =>
    w.step("Max", [w.step("Where", [isWide, first, second], `${suffix}.side`), w.ints(1)], suffix);
  return [side(low, high, "scaled.height"), side(high, low, "scaled.width")];
}

/** Where the middle begins, in torchvision's rounding: negative where the image is smaller than the cut. */
function middle(w: Writer, length: string, cut: number): string {
  const margin = w.step("Sub", [length, w.ints(cut)], "margin");
  // Whole division goes towards zero.
  const half = w.step("Div", [margin, w.ints(2)], "half");
  const odd = w.step("Sub", [margin, w.step("Mul", [half, w.ints(2)], "even")], "odd");
  const toEven = w.step("Mul", [odd, w.step("Mod", [half, w.ints(2)], "half.odd")], "to_even");
  const isCut = w.step("Greater", [margin, w.ints(0)], "is_cut");
  return w.step("Add", [half, w.step("Where", [isCut, toEven, w.ints(0)], "up")], "start");
}

/** What each of `from` pixels gives to each of `cut` in the middle of `to`: float32 [cut, from]; zeros outside. */
function matrix(w: Writer, from: string, to: string, cut: number, filter: string, suffix: string): string {
  const name = (what: string): string => `${suffix}.${what}`;
  // Places of tens of thousands of pixels leave single precision too few digits.
  const exact = (x: string): string => w.cast(x, "float64", name("exact"));
  const value = (x: number): string => exact(w.number(x));
  const calc = (onnx: string, inputs: readonly string[], what: string): string => w.step(onnx, inputs, name(what));
  const places = calc("Add", [w.range(w.ints(cut), "int64", name("index")), middle(w, to, cut)], "places");
  const place = w.unsqueeze(places, [1], name("place"));
  const scale = calc("Div", [exact(from), exact(to)], "scale");
  const widen = calc("Max", [scale, value(1)], "widen");
  const support = calc("Mul", [widen, value(SUPPORT[filter]!)], "support");
  const center = calc("Mul", [calc("Add", [exact(place), value(0.5)], "middle"), scale], "center");
  const edge = (onnx: "Add" | "Sub"): string =>
    calc("Floor", [calc("Add", [calc(onnx, [center, support], "reach"), value(0.5)], "reach.half")], "edge");
  const pixel = exact(w.unsqueeze(w.range(from, "int64", name("pixels")), [0], name("pixel")));
  const distance = calc("Sub", [calc("Add", [pixel, value(0.5)], "pixel.middle"), center], "distance");
  const t = calc("Abs", [calc("Div", [distance, widen], "narrowed")], "t");
  const isBefore = calc("Less", [pixel, edge("Add")], "before_end");
  const isBehind = calc("Not", [calc("Less", [pixel, edge("Sub")], "before_start")], "behind_start");
  const isSeen = calc("And", [isBefore, isBehind], "seen");
  const weights = calc(
    "Where",
    [isSeen, filter === "bicubic" ? bicubic(calc, value, t) : triangle(calc, value, t), value(0)],
    "weights",
  );
  const sum = w.reduce("Sum", weights, [1], name("sum"), true);
  const share = calc("Div", [weights, sum], "share");
  const isInside = calc(
    "And",
    [calc("Less", [w.ints(-1), place], "from_first"), calc("Less", [place, to], "to_last")],
    "inside",
  );
  return w.cast(calc("Where", [isInside, share, value(0)], "masked"), "float32", suffix);
}

type Calculate = (onnx: string, inputs: readonly string[], what: string) => string;

function triangle(calc: Calculate, value: (x: number) => string, t: string): string {
  return calc("Max", [calc("Sub", [value(1), t], "falling"), value(0)], "curve");
}

/** Keys' cubic with a = -1/2. */
function bicubic(calc: Calculate, value: (x: number) => string, t: string): string {
  // From the highest power down.
  const polynomial = (coefficients: readonly number[], what: string): string =>
    coefficients
      .slice(1)
      .reduce(
        (made, coefficient) => calc("Add", [calc("Mul", [made, t], what), value(coefficient)], what),
        value(coefficients[0]!),
      );
  const near = polynomial([1.5, -2.5, 0, 1], "near");
  const far = polynomial([-0.5, 2.5, -4, 2], "far");
  const tail = calc("Where", [calc("Less", [t, value(2)], "is_far"), far, value(0)], "tail");
  return calc("Where", [calc("Less", [t, value(1)], "is_near"), near, tail], "curve");
}
