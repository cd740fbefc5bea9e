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
import { bind, type Bound, type Form, type Spec } from "./bind.js";
import { requireAsMany, requireRegions, requireAnchors, requireHead } from "./detection-shapes.js";
import { readDialect } from "./dialect.js";
import { draftScope, type DraftScope } from "./draft.js";
import { fail } from "./evaluate.js";
import { isTensor, siteOf, type Detector, type Place } from "./place.js";
import { UNKNOWN, type TensorValue } from "./values.js";

type Given = Readonly<Record<string, Bound>>;

/** What a word's layers are made of. */
interface Work {
  readonly given: Given;
  readonly build: Build;
  /** What flows; regions, for those words that need some. */
  readonly flow: TensorValue;
  readonly detector: Detector;
  readonly dialect: Dialect;
}

interface DetectionWord {
  readonly arguments: readonly Spec[];
  /** It follows the dialect's rules; perhaps only with some arguments. */
  readonly needsDialect?: true | ((given: Given) => boolean);
  /** It takes the regions that flow. */
  readonly takesRegions?: true;
  readonly run: (work: Work) => TensorValue;
}

const value = (name: string): Spec => ({ name, type: "value" });
const values = (name: string, more: Partial<Spec> = {}): Spec => ({ name, type: "values", ...more });
const number = (name: string, more: Partial<Spec> = {}): Spec => ({ name, type: "number", min: 0, ...more });
const whole = (name: string, more: Partial<Spec> = {}): Spec => ({ name, type: "int", min: 1, ...more });

const LEVELS: Spec = {
  name: "levels",
  type: "form",
  optional: true,
  forms: {
    /** Feature pyramid networks (arXiv:1612.03144, equation 1): the level grows with the region's side. */
    by_area: [number("size", { default: 224 }), whole("level", { default: 4 }), whole("first", { default: 2 })],
    /** The scale of an image pyramid at which the region's area is nearest to 224x224 pixels. */
    nearest_scale: [whole("stride", { default: 16 })],
    /** The scale beside that on the other side. */
    next_scale: [whole("stride", { default: 16 })],
  },
};

/** The level depends on a region's area, and that on where a box ends. */
const hasLevels = (given: Given): boolean => given["levels"] !== undefined;

const noScale = (found: ir.Value): TensorValue => ({ kind: "tensor", value: found, scale: [1, 1] });

const get = <T extends Bound>(given: Given, name: string, fallback?: T): T => (given[name] ?? fallback) as T;

export const DETECTION_WORDS: Readonly<Record<string, DetectionWord>> = {
  resize_like: {
    arguments: [value("map"), { name: "mode", type: "word", words: ["nearest", "bilinear"], default: "nearest" }],
    run({ given, build, flow }) {
      const like = get<TensorValue>(given, "map");
      const [resized] = build("resize_like", [flow.value, like.value], { mode: get(given, "mode", "nearest") });
      return { kind: "tensor", value: resized!, scale: like.scale };
    },
  },
  crop_like: {
    arguments: [value("map")],
    run({ given, build, flow }) {
      const [cropped] = build("crop_like", [flow.value, get<TensorValue>(given, "map").value], {});
      return { kind: "tensor", value: cropped!, scale: flow.scale };
    },
  },
  propose: {
    needsDialect: true,
    arguments: [
      values("objectness"),
      values("deltas"),
      { name: "sizes", type: "lists", min: 1 },
      { name: "ratios", type: "numbers", min: 1e-3 },
      whole("top"),
      number("nms", { max: 1 }),
      whole("keep"),
    ],
    run(work) {
      const { given, build, detector, dialect } = work;
      const [objectness, deltas] = [tensors(given, "objectness"), tensors(given, "deltas")];
      const sizes = get<readonly (readonly number[])[]>(given, "sizes");
      requireAsMany("deltas", deltas.length, "objectness", objectness.length);
      if (sizes.length > 1) requireAsMany("sizes", sizes.length, "objectness", objectness.length);
      const maps = objectness.map((map, level) => ({
        objectness: map.value,
        deltas: deltas[level]!.value,
        stride: map.scale,
        sizes: sizes[Math.min(level, sizes.length - 1)]!,
      }));
      const ratios = get<readonly number[]>(given, "ratios");
      maps.forEach((map) => requireAnchors(map.objectness, map.deltas, map.sizes.length * ratios.length, dialect));
      const settings = {
        ratios,
        top: get<number>(given, "top"),
        nms: get<number>(given, "nms"),
        keep: get<number>(given, "keep"),
      };
      const { regions, scores } = propose(maps, settings, dialect, detector, build);
      return { ...noScale(regions), members: new Map([["scores", noScale(scores)]]) };
    },
  },
  roi_pool: {
    takesRegions: true,
    needsDialect: hasLevels,
    arguments: [values("maps"), { name: "size", type: "size2", min: 1 }, LEVELS],
    run: (work) => pooled("roi_pool", {}, work),
  },
  roi_align: {
    takesRegions: true,
    needsDialect: hasLevels,
    arguments: [
      values("maps"),
      { name: "size", type: "size2", min: 1 },
      { name: "sampling", type: "int", min: 0, default: 0 },
      { name: "aligned", type: "boolean", default: true },
      LEVELS,
    ],
    run: (work) =>
      pooled(
        "roi_align",
        { sampling: get(work.given, "sampling", 0), aligned: get(work.given, "aligned", true) },
        work,
      ),
  },
  refine: {
    needsDialect: true,
    arguments: [value("regions"), value("scores"), value("deltas")],
    run({ given, build, detector, dialect }) {
      const judged = {
        regions: tensor(given, "regions"),
        scores: tensor(given, "scores"),
        deltas: tensor(given, "deltas"),
      };
      requireRegions(judged.regions, "refine");
      requireHead(judged, dialect.background);
      return noScale(refine(judged, dialect, detector, build));
    },
  },
  join: {
    arguments: [values("parts", { many: true })],
    run: ({ given, build }) =>
      noScale(
        build(
          "concat_rows",
          tensors(given, "parts").map((part) => part.value),
          { axis: 0 },
        )[0]!,
      ),
  },
  whole_image: {
    needsDialect: true,
    arguments: [],
    run: ({ build, detector, dialect }) =>
      noScale(build("whole_images", [detector.info], { inclusive: dialect.inclusive })[0]!),
  },
  of_image: {
    takesRegions: true,
    arguments: [value("tensor")],
    run: ({ given, build, flow }) => noScale(build("rows_of_image", [tensor(given, "tensor"), flow.value])[0]!),
  },
  detect: {
    needsDialect: true,
    arguments: [
      values("regions"),
      values("scores"),
      values("deltas", { optional: true }),
      number("nms", { max: 1 }),
      whole("keep"),
      number("vote", { max: 1, default: 0 }),
      number("vote_offset", { default: 0, min: -1e6 }),
      { name: "background", type: "word", words: ["none"], optional: true },
    ],
    run({ given, build, detector, dialect }) {
      if (detector.found)
        throw new ShapeError("a detector has one `detect`", "it takes lists of regions, scores and deltas");
      const [regions, scores] = [tensors(given, "regions"), tensors(given, "scores")];
      const deltas = given["deltas"] === undefined ? undefined : tensors(given, "deltas");
      requireAsMany("scores", scores.length, "regions", regions.length);
      if (deltas) requireAsMany("deltas", deltas.length, "regions", regions.length);
      const background = given["background"] === undefined ? dialect.background : "none";
      const judged = regions.map((of, index): Judged => ({
        regions: of.value,
        scores: scores[index]!.value,
        deltas: deltas?.[index]?.value,
      }));
      judged.forEach((each) => {
        requireRegions(each.regions, "detect");
        requireHead(each, background);
      });
      const settings = {
        nms: get<number>(given, "nms"),
        keep: get<number>(given, "keep"),
        vote: get<number>(given, "vote", 0),
        voteOffset: get<number>(given, "vote_offset", 0),
        background,
      } as const;
      const { boxes, scores: sure, labels, images } = detect(judged, settings, dialect, detector, build);
      detector.found = Object.entries({ boxes, scores: sure, labels, images }).map(([label, found]) => ({
        label,
        value: found,
      }));
      return noScale(boxes);
    },
  },
};

/** Carries out one of them. */
export function applyDetectionWord(use: Use, word: string, place: Place): void {
  const definition = DETECTION_WORDS[word]!;
  const site = siteOf(place);
  if (use.bodies[0]) fail(site, "unexpected-body", use.bodies[0].span, `\`${word}\` takes no braces`);
  const given = bind(`\`${word}\``, definition.arguments, use.arguments, use.span, site);
  const { tensor: flow } = place.flow;
  place.flow.tensor = UNKNOWN;
  if (!given || !isTensor(flow)) return;
  const { detector } = place.session;
  const needsDetector = definition.needsDialect || definition.takesRegions;
  if (needsDetector && !detector) {
    const help = "declare it with `detector` in place of `network`";
    return void fail(site, "misplaced-statement", use.span, `\`${word}\` stands in a detector`, { help });
  }
  const { needsDialect } = definition;
  const follows = typeof needsDialect === "function" ? needsDialect(given) : needsDialect;
  const dialect = follows ? dialectOf(word, use, place) : undefined;
  if (follows && !dialect) return;
  const scope = draftScope("group", word, use.span, use.label ? { label: use.label.text } : {});
  scope.input = flow.value;
  place.scope.children.push(scope);
  try {
    if (definition.takesRegions) requireRegions(flow.value, word);
    const build = builder(use, scope, place);
    const work = { given, build, flow, detector: detector!, dialect: dialect! };
    place.flow.tensor = definition.run(work);
    scope.output = place.flow.tensor.value;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    fail(site, "invalid-shape", use.span, error.message, { help: error.help });
  }
}

/** The dialect in force, read where it is first needed. */
function dialectOf(word: string, use: Use, place: Place): Dialect | undefined {
  const site = siteOf(place);
  const { dialect } = place.network;
  if (!dialect) {
    const help = "write `dialect detectron2` (std/dialects) before it";
    fail(site, "missing-argument", use.span, `\`${word}\` needs the detector's dialect`, { help });
    return undefined;
  }
  const { detector } = place.session;
  if (detector?.rules?.of === dialect) return detector.rules.dialect;
  const read = readDialect(dialect, site);
  if (detector) detector.rules = { of: dialect, dialect: read };
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

function pooled(op: string, attributes: ir.Attributes, { given, build, flow, dialect }: Work): TensorValue {
  const maps = tensors(given, "maps").map((map) => ({ map: map.value, scale: map.scale }));
  const size = get<readonly number[]>(given, "size");
  const levels = given["levels"] as Form | undefined;
  if (maps.length > 1 && !levels) {
    const help = "`levels: by_area()` as feature pyramid networks choose, or `nearest_scale` of an image pyramid";
    throw new ShapeError(
      `${op}: with ${maps.length} maps, \`levels\` has to say which of them a region is pooled from`,
      help,
    );
  }
  const found = pool(op, maps, flow.value, { ...attributes, size }, levelRule(levels, maps, dialect), build);
  return { kind: "tensor", value: found, scale: maps[0]!.scale };
}

function levelRule(
  levels: Form | undefined,
  maps: readonly { readonly scale: readonly [number, number] }[],
  dialect: Dialect,
): ir.Attributes {
  if (!levels) return {};
  const { size, level, first, stride } = levels.values as Readonly<Record<string, number>>;
  const { inclusive } = dialect;
  if (levels.name === "by_area") {
    const [min, max] = [first!, first! + maps.length - 1];
    return { rule: "area", canonical_size: size!, canonical_level: level!, min, max, inclusive };
  }
  // How much larger than the input the image was from which each map was made.
  const factors = maps.map((map) => stride! / map.scale[0]);
  return { rule: "scale", factors, second: levels.name === "next_scale", inclusive };
}

const tensors = (given: Given, name: string): readonly TensorValue[] => get<readonly TensorValue[]>(given, name);
const tensor = (given: Given, name: string): ir.Value => get<TensorValue>(given, name).value;
