/** Several feature maps, each for regions of its size: which map a region is pooled from, and the way back. */
import { unknownSize, type Dim } from "../../ir/dim.js";
import type { Attributes } from "../../ir/types.js";
import { onnxType } from "../../ir/dtype.js";
import { flag, int, word } from "../attributes.js";
import { ShapeError, type Operator } from "../operator.js";
import { reshaped } from "../shapes.js";
import { ints } from "../tensor/shape.js";
import { writeSizes } from "./boxes.js";
import { floats, forms, integers } from "./forms.js";
import { joined } from "./regions.js";
import { boolean, choice, integer, number, numbers, tensor, tensors } from "../../words/schema.js";
import { INCLUSIVE } from "./arguments.js";
import { writer, type Writer } from "../write.js";

/** The side of regions that ImageNet's networks are made for. */
const IMAGENET_SIDE = 224;

/**
 * regions [R, 5] to int64 [R], the number of each region's map, the first being 0. `rule`:
 *
 * - `area` (torchvision's LevelMapper): floor(`canonical_level` + log2(sqrt(area) / `canonical_size`) + 1e-6), from
 *   `min` to `max`, less `min`
 * - `scale` (py-faster-rcnn): of images scaled by `factors`, which ascend, the one in which the area is nearest to
 *   `canonical_size`^2; with `second` the one beside it on the other side of that, at an end the only neighbour
 */
const assignLevel: Operator = {
  name: "assign_level",
  doc: "Which feature map each region is pooled from.",
  layer: {
    arguments: {
      rule: choice("By the area of a region, or by the scale of an image pyramid at which it is of canonical size.", [
        "area",
        "scale",
      ]),
      canonical_size: number("The side of a region that belongs to `canonical_level`, or that the head is made for.", {
        min: 1,
        default: IMAGENET_SIDE,
      }),
      canonical_level: integer("Of `area`: the level of such a region.", { default: 4 }),
      min: integer("Of `area`: the level of the first map.", { default: 2 }),
      max: integer("Of `area`: the level of the last map.", { default: 5 }),
      strides: numbers("Of `scale`: the feature strides of the maps, descending.", { min: 1e-3, optional: true }),
      stride: number("Of `scale`: the feature stride of the map of the image as it is.", { min: 1e-3, default: 16 }),
      second: boolean("Of `scale`: the one beside the nearest, on the other side of `canonical_size`.", {
        default: false,
      }),
      inclusive: INCLUSIVE,
    },
  },
  fullPrecision: true,
  gradient: "none",
  complete({ strides, stride, ...attributes }) {
    // How much larger than the input the image was from which each map was made.
    const factors = strides && (strides as readonly number[]).map((each) => (stride as number) / each);
    return {
      inclusive: false,
      second: false,
      canonical_size: IMAGENET_SIDE,
      ...(factors && { factors }),
      ...attributes,
    };
  },
  infer(inputs) {
    const [[rows]] = forms("assign_level", { regions: ["R", 5] }, inputs) as [readonly Dim[]];
    return [integers(rows!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const size = writeSizes(w, w.slice(w.inputs[0]!, 1, 1, 5, "boxes"), node.attributes);
    const area = w.step("Mul", [w.slice(size, 1, 0, 1, "width"), w.slice(size, 1, 1, 2, "height")], "area");
    if (word(node.attributes, "rule") === "area") writeByArea(w, area, node.attributes);
    else writeByScale(w, area, node.attributes);
  },
};

/** How many of the bounds between levels the side of the same area reaches: no logarithm, whose last digit would vary. */
function writeByArea(w: Writer, area: string, attributes: Attributes): void {
  const [level, size] = [int(attributes, "canonical_level"), int(attributes, "canonical_size")];
  const [min, max] = [int(attributes, "min"), int(attributes, "max")];
  const side = w.step("Sqrt", [area], "side");
  const bounds = Array.from({ length: max - min }, (_, index) => size * 2 ** (min + 1 + index - level - 1e-6));
  writeCount(w, w.step("GreaterOrEqual", [side, w.numbers(bounds)], "reached"));
}

/** Boolean [R, L] to how many of each row are true. */
function writeCount(w: Writer, truth: string): void {
  const sum = w.reduce("Sum", w.cast(truth, "float32", "number"), [1], "count");
  w.give("Cast", [sum], { to: onnxType("int64") });
}

function writeByScale(w: Writer, area: string, attributes: Attributes): void {
  const squares = ints(attributes, "factors").map((factor) => factor ** 2);
  const scaled = w.step("Mul", [area, w.numbers(squares)], "areas.scaled");
  const excess = w.step("Sub", [scaled, w.number(int(attributes, "canonical_size") ** 2)], "excess");
  const how = { axis: 1, keepdims: 1 };
  const nearest = w.step("ArgMin", [w.step("Abs", [excess], "distance")], "nearest", how);
  if (!flag(attributes, "second") || squares.length === 1) {
    w.give("Squeeze", [nearest, w.ints(1)]);
    return;
  }
  const own = w.step("GatherElements", [excess, nearest], "excess.own", { axis: 1 });
  const [below, above] = [w.step("Sub", [nearest, w.ints(1)], "below"), w.step("Add", [nearest, w.ints(1)], "above")];
  const beside = w.step("Where", [w.step("Greater", [own, w.number(0)], "too_large"), below, above], "beside");
  // Beyond either end the way turns back: -1 is 1, and the number of factors is two less.
  const end = w.ints(squares.length - 1);
  const inside = w.step("Sub", [end, w.step("Abs", [beside], "from_start")], "to_end");
  w.give("Squeeze", [w.step("Sub", [end, w.step("Abs", [inside], "from_end")], "second"), w.ints(1)]);
}

/** regions [R, 5], levels int64 [R] to the regions [S, 5] of one `level` and their rows int64 [S], in their order. */
const regionsOfLevel: Operator = {
  name: "regions_of_level",
  doc: "The regions that are pooled from one feature map.",
  layer: {
    arguments: {
      levels: tensor("The level of each region that arrives."),
      level: integer("Which is wanted, from 0.", { min: 0 }),
    },
    outputs: ["regions", "rows"],
  },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[all]] = forms("regions_of_level", { regions: ["R", 5], levels: ["R"] }, inputs) as [readonly Dim[]];
    const found = unknownSize("S", all);
    return [floats(found, 5), integers(found)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const own = w.step("Equal", [w.inputs[1]!, w.ints(int(node.attributes, "level"))], "own");
    const places = w.where(own, "own.places");
    w.give("Gather", [w.inputs[0]!, places], { axis: 0 }, 0);
    w.give("Identity", [places], {}, 1);
  },
};

/**
 * What was made of the regions of each level, [S, ...] a level, then the rows [S] of each, then regions [R, 5], to
 * [R, ...]: the results in the order of all regions, each of which is of one level.
 */
const mergeLevels: Operator = {
  name: "merge_levels",
  doc: "The results of all levels in the order of the regions.",
  layer: {
    arguments: {
      results: tensors("What was made of the regions of each level."),
      rows: tensors("Which regions those were."),
    },
    flow: "last",
  },
  fullPrecision: true,
  gradient({ inputs }, [dy], builder) {
    if (dy === undefined) return [];
    return parts(inputs).rows.map((rows) => builder.apply("take_rows", [dy, rows])[0]);
  },
  infer(inputs) {
    const { results, rows, regions } = parts(inputs);
    rows.forEach((each) => forms("merge_levels", { rows: ["S"] }, [each]));
    const [[all]] = forms("merge_levels", { regions: ["R", 5] }, [regions]) as [readonly Dim[]];
    const type = joined("merge_levels", results);
    return [reshaped(type, [all!, ...type.shape.slice(1)])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const { results, rows } = parts(w.inputs);
    const row = w.concat(rows, 0, "rows");
    const count = w.sizeOf(row, 0);
    // Where each row is: the permutation turned round.
    const zeros = w.expand(w.ints(0), [count], "zeros");
    const place = w.step("ScatterElements", [zeros, row, w.range(count, "int64", "places")], "place", { axis: 0 });
    w.give("Gather", [w.concat(results, 0, "results"), place], { axis: 0 });
  },
};

/** x [R, ...], rows int64 [S] to [S, ...]. */
const takeRows: Operator = {
  name: "take_rows",
  doc: "Some rows of a tensor.",
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[, ...rest], [rows]] = forms("take_rows", { x: ["R", "..."], rows: ["S"] }, inputs) as [Dim[], Dim[]];
    return [reshaped(inputs[0], [rows!, ...rest])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    w.give("Gather", [w.inputs[0]!, w.inputs[1]!], { axis: 0 });
  },
};

/** The inputs of merge_levels: as many results as rows, and the regions. */
function parts<T>(inputs: readonly T[]): {
  readonly results: readonly T[];
  readonly rows: readonly T[];
  readonly regions: T;
} {
  const levels = (inputs.length - 1) / 2;
  if (!Number.isInteger(levels) || levels < 1) {
    throw new ShapeError(`merge_levels needs results, as many rows, and the regions, got ${inputs.length} tensors`);
  }
  return { results: inputs.slice(0, levels), rows: inputs.slice(levels, -1), regions: inputs.at(-1)! };
}

export const LEVELS: readonly Operator[] = [assignLevel, regionsOfLevel, mergeLevels, takeRows];
