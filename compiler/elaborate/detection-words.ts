/** Layers of detectors: words that stand for several operations, on several tensors (compiler/detection/). */
import type { Use } from "../../grammar/ast.js";
import type { Build } from "../detection/build.js";
import type { Dialect } from "../detection/dialect.js";
import { detect } from "../detection/detect.js";
import { pool } from "../detection/pool.js";
import { propose } from "../detection/propose.js";
import { refine } from "../detection/refine.js";
import type { Judged } from "../detection/regress.js";
import type * as ir from "../ir/types.js";
import { completeAttributes } from "../ops/attributes.js";
import { operator } from "../ops/index.js";
import { ShapeError } from "../ops/operator.js";
import {
  boolean,
  choice,
  completed,
  form,
  integer,
  lists,
  number,
  numbers,
  size,
  tensor,
  tensors,
  words,
  type Schema,
  type Values,
  type Word,
} from "../words/schema.js";
import { bind } from "./bind.js";
import { requireAsMany, requireRegions, requireAnchors, requireHead } from "./detection-shapes.js";
import { readDialect } from "./dialect.js";
import { draftScope, type DraftScope } from "./draft.js";
import { fail } from "./evaluate.js";
import { isTensor, siteOf, type Detector, type Place } from "./place.js";
import { UNKNOWN, type TensorValue } from "./values.js";

/** What a word's layers are made of. */
interface Work<S extends Schema> {
  readonly given: Values<S>;
  readonly build: Build;
  /** What flows; regions, for those words that need some. */
  readonly flow: TensorValue;
  readonly detector: Detector;
  /** The rules in force. Throws a {@link Reported} where there are none. */
  dialect(): Dialect;
}

/** A layer of detectors. */
export interface DetectionWord<S extends Schema = Schema> extends Word<string, S> {
  /** It takes the regions that flow. */
  readonly takesRegions?: true;
  run(work: Work<S>): TensorValue;
}

/** Thrown after an error that was reported. */
class Reported extends Error {}

function layer<const S extends Schema>(word: DetectionWord<S>): DetectionWord {
  return word;
}

const LEVELS = form(
  "With several maps: which of them each region is pooled from.",
  words({
    by_area: {
      doc: "By the region's area, as feature pyramid networks choose.",
      source: "arXiv:1612.03144, equation 1",
      arguments: {
        size: number("Side of a region that belongs to `level`, in pixels.", { min: 0, default: 224 }),
        level: integer("The level of such a region.", { min: 1, default: 4 }),
        first: integer("The level of the first map.", { min: 1, default: 2 }),
      },
    },
    nearest_scale: {
      doc: "The scale of an image pyramid at which the region's area is nearest to 224x224 pixels.",
      arguments: { stride: integer("Feature stride of the map of the image as it is.", { min: 1, default: 16 }) },
    },
    next_scale: {
      doc: "The scale beside that on the other side.",
      arguments: { stride: integer("Feature stride of the map of the image as it is.", { min: 1, default: 16 }) },
    },
  }),
  { optional: true },
);
type Levels = Values<{ levels: typeof LEVELS }>["levels"];

type Pooling = { maps: typeof MAPS; size: typeof GRID; levels: typeof LEVELS };

const MAPS = tensors("The maps, one a level.");
const GRID = size("Rows and columns of the grid.", { min: 1 });

const noScale = (found: ir.Value): TensorValue => ({ kind: "tensor", value: found, scale: [1, 1] });

/** By name. */
export const DETECTION_WORDS: Readonly<Record<string, DetectionWord>> = Object.fromEntries(
  [
    layer({
      name: "propose",
      doc: "Regions from maps of objectness and deltas: the best of all anchors, decoded, clipped and suppressed. Its member `scores` says how likely an object is.",
      source: "arXiv:1506.01497",
      arguments: {
        objectness: tensors("Maps of objectness, one a level."),
        deltas: tensors("Maps of the deltas of anchors, one a level."),
        sizes: lists("Sides of the anchors in pixels, for all maps or for each.", { min: 1 }),
        ratios: numbers("Height by width of the anchors.", { min: 1e-3 }),
        top: integer("How many of each map are decoded at most, the best first.", { min: 1 }),
        nms: number("Regions that overlap a better one by more than this intersection over union go.", {
          min: 0,
          max: 1,
        }),
        keep: integer("How many regions of an image are kept at most.", { min: 1 }),
      },
      run(work) {
        const { given, build, detector } = work;
        const { objectness, deltas, sizes, ratios, top, nms, keep } = given;
        const dialect = work.dialect();
        requireAsMany("deltas", deltas.length, "objectness", objectness.length);
        if (sizes.length > 1) requireAsMany("sizes", sizes.length, "objectness", objectness.length);
        const maps = objectness.map((map, level) => ({
          objectness: map.value,
          deltas: deltas[level]!.value,
          stride: map.scale,
          sizes: sizes[Math.min(level, sizes.length - 1)]!,
        }));
        maps.forEach((map) => requireAnchors(map.objectness, map.deltas, map.sizes.length * ratios.length, dialect));
        const { regions, scores } = propose(maps, { ratios, top, nms, keep }, dialect, detector, build);
        return { ...noScale(regions), members: new Map([["scores", noScale(scores)]]) };
      },
    }),
    layer({
      name: "roi_pool",
      doc: "Regions to [R, C, size]: maxima over a grid in each, rounded as Caffe does.",
      source: "arXiv:1504.08083",
      takesRegions: true,
      arguments: { maps: MAPS, size: GRID, levels: LEVELS },
      run: (work) => pooled("roi_pool", {}, work),
    }),
    layer({
      name: "roi_align",
      doc: "Regions to [R, C, size]: averages over a grid in each, of values between the pixels.",
      source: "arXiv:1703.06870",
      takesRegions: true,
      arguments: {
        maps: MAPS,
        size: GRID,
        sampling: integer("Points in each cell of the grid, along each side; 0: as many as it has pixels.", {
          min: 0,
          default: 0,
        }),
        aligned: boolean("Pixels' middles are at halves.", { default: true }),
        levels: LEVELS,
      },
      run: (work) => pooled("roi_align", { sampling: work.given.sampling, aligned: work.given.aligned }, work),
    }),
    layer({
      name: "refine",
      doc: "Regions: each becomes the box of its most likely class.",
      arguments: {
        regions: tensor("The regions."),
        scores: tensor("Their scores, one a class."),
        deltas: tensor("Their deltas, four a class."),
      },
      run({ given, build, detector, dialect }) {
        const judged = {
          regions: given.regions.value,
          scores: given.scores.value,
          deltas: given.deltas.value,
        };
        const rules = dialect();
        requireRegions(judged.regions, "refine");
        requireHead(judged, rules.background);
        return noScale(refine(judged, rules, detector, build));
      },
    }),
    layer({
      name: "join",
      doc: "Regions, or what heads give of them, one after the other.",
      arguments: { parts: tensors("The parts, in order.", { many: true }) },
      run: ({ given, build }) =>
        noScale(
          build(
            "concat_rows",
            given.parts.map((part) => part.value),
            { axis: 0 },
          )[0]!,
        ),
    }),
    layer({
      name: "whole_image",
      doc: "Each image as a region.",
      arguments: {},
      run: ({ build, detector, dialect }) =>
        noScale(build("whole_images", [detector.info], { inclusive: dialect().inclusive })[0]!),
    }),
    layer({
      name: "of_image",
      doc: "Regions to [R, ...]: for each its image's row of a tensor.",
      takesRegions: true,
      arguments: { tensor: tensor("A row an image.") },
      run: ({ given, build, flow }) => noScale(build("rows_of_image", [given.tensor.value, flow.value])[0]!),
    }),
    layer({
      name: "detect",
      doc: "Boxes, labels and scores, suppressed class by class: what the detector gives.",
      arguments: {
        regions: tensors("The regions."),
        scores: tensors("Their scores, one a class."),
        deltas: tensors("Their deltas, four a class; without them the regions are the boxes.", { optional: true }),
        nms: number("Boxes that overlap a better one of their class by more than this intersection over union go.", {
          min: 0,
          max: 1,
        }),
        keep: integer("How many detections of an image are kept at most.", { min: 1 }),
        vote: number("Overlap from which boxes average with the one that is kept; 0: none do.", {
          min: 0,
          max: 1,
          default: 0,
        }),
        vote_offset: number("Added to scores before they weigh boxes in that average.", { default: 0, min: -1e6 }),
        background: choice("`none`: there is no class for the background.", ["none"], { optional: true }),
      },
      run({ given, build, detector, dialect }) {
        if (detector.found) {
          throw new ShapeError("a detector has one `detect`", "it takes lists of regions, scores and deltas");
        }
        const { regions, scores, deltas, nms, keep, vote } = given;
        const rules = dialect();
        requireAsMany("scores", scores.length, "regions", regions.length);
        if (deltas) requireAsMany("deltas", deltas.length, "regions", regions.length);
        const background = given.background ?? rules.background;
        const judged = regions.map((of, index): Judged => ({
          regions: of.value,
          scores: scores[index]!.value,
          deltas: deltas?.[index]?.value,
        }));
        judged.forEach((each) => {
          requireRegions(each.regions, "detect");
          requireHead(each, background);
        });
        const settings = { nms, keep, vote, voteOffset: given.vote_offset, background } as const;
        const { boxes, scores: sure, labels, images } = detect(judged, settings, rules, detector, build);
        const found = { boxes, scores: sure, labels, images };
        detector.found = Object.entries(found).map(([name, value]) => ({ name, value }));
        return noScale(boxes);
      },
    }),
  ].map((word) => [word.name, word]),
);

/** Carries out one of them. */
export function applyDetectionWord(use: Use, word: DetectionWord, place: Place): void {
  const { name } = word;
  const site = siteOf(place);
  if (use.bodies[0]) fail(site, "unexpected-body", use.bodies[0].span, `\`${name}\` takes no braces`);
  const given = bind(`\`${name}\``, word.arguments, use.arguments, use.span, site);
  const { tensor: flow } = place.flow;
  place.flow.tensor = UNKNOWN;
  if (!given || !isTensor(flow)) return;
  const { detector } = place.session;
  if (!detector) {
    const help = "declare it with `detector` in place of `network`";
    return void fail(site, "misplaced-statement", use.span, `\`${name}\` stands in a detector`, { help });
  }
  const scope = draftScope("group", name, use.span, use.label ? { label: use.label.text } : {});
  scope.input = flow.value;
  place.scope.children.push(scope);
  try {
    if (word.takesRegions) requireRegions(flow.value, name);
    place.flow.tensor = word.run({
      given: completed(word.arguments, given),
      build: builder(use, scope, place),
      flow,
      detector,
      dialect: () => dialectOf(name, use, place),
    });
    scope.output = place.flow.tensor.value;
  } catch (error) {
    if (error instanceof Reported) return;
    if (!(error instanceof ShapeError)) throw error;
    fail(site, "invalid-shape", use.span, error.message, { help: error.help });
  }
}

/** The dialect in force, read where it is first needed. */
function dialectOf(word: string, use: Use, place: Place): Dialect {
  const site = siteOf(place);
  const { dialect } = place.network;
  if (!dialect) {
    const help = "write `dialect detectron2` (std/dialects) before it";
    fail(site, "missing-argument", use.span, `\`${word}\` needs the detector's dialect`, { help });
    throw new Reported();
  }
  const { detector } = place.session;
  const read = detector?.rules?.of === dialect ? detector.rules.dialect : readDialect(dialect, site);
  if (detector) detector.rules = { of: dialect, dialect: read };
  if (!read) throw new Reported();
  return read;
}

/** Appends operations to the graph and to the word's scope. */
function builder(use: Use, scope: DraftScope, place: Place): Build {
  return (op, inputs, attributes = {}) => {
    const record = operator(op);
    const at = { span: use.span, chain: place.chain };
    const node = place.session.append(record, inputs, completeAttributes(record, attributes), at);
    scope.children.push(node);
    return node.outputs;
  };
}

function pooled(op: string, attributes: ir.Attributes, work: Work<Pooling>): TensorValue {
  const { given, build, flow } = work;
  const maps = given.maps.map((map) => ({ map: map.value, scale: map.scale }));
  if (maps.length > 1 && !given.levels) {
    const help = "`levels: by_area()` as feature pyramid networks choose, or `nearest_scale` of an image pyramid";
    throw new ShapeError(
      `${op}: with ${maps.length} maps, \`levels\` has to say which of them a region is pooled from`,
      help,
    );
  }
  const rule = given.levels ? levelRule(given.levels, maps, work.dialect()) : {};
  const found = pool(op, maps, flow.value, { ...attributes, size: given.size }, rule, build);
  return { kind: "tensor", value: found, scale: maps[0]!.scale };
}

/** Which level a region is pooled from depends on its area, and that on where a box ends. */
function levelRule(
  levels: NonNullable<Levels>,
  maps: readonly { readonly scale: readonly [number, number] }[],
  { inclusive }: Dialect,
): ir.Attributes {
  if (levels.form === "by_area") {
    const { size, level, first } = levels.values;
    const [min, max] = [first, first + maps.length - 1];
    return { rule: "area", canonical_size: size, canonical_level: level, min, max, inclusive };
  }
  // How much larger than the input the image was from which each map was made.
  const factors = maps.map((map) => levels.values.stride / map.scale[0]);
  return { rule: "scale", factors, second: levels.form === "next_scale", inclusive };
}
