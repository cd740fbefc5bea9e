/**
 * A `dialect` declaration: which of the field's incompatible conventions a detector follows. It becomes a record that the
 * blocks of std/detection read; the standard library's dialects say each of them for one code base, to the letter.
 */
import { boolean, choice, integer, number, numbers, words } from "../words/schema.js";
import { open } from "./declarations.js";
import { readSettings } from "./settings.js";
import { fail, type Site } from "./site.js";
import { NONE, type DeclarationValue, type EvalValue, type RecordValue } from "./values.js";

/** Words that a detector needs to find things: every one has to be there, since a convention that is not said is one that is guessed. */
const FINDING_WORDS = words({
  boxes: {
    doc: "Where a box ends.",
    arguments: {
      edges: choice("Whether x2 is the last pixel of the box or the one after it.", ["inclusive", "exclusive"]),
      last_pixel: boolean("Decoded boxes end with their last pixel too: centre + width / 2 - 1.", { default: false }),
    },
  },
  deltas: {
    doc: "How deltas are read.",
    arguments: {
      regions: numbers("Deltas of regions are divided by these four.", { min: 1e-6 }),
      clamp: number("The largest logarithm of a size that is believed; 0: any.", { min: 0, default: 0 }),
    },
  },
  anchors: {
    doc: "How anchors are made.",
    arguments: {
      rounding: choice("Of width and height: none, of the corners, or of a base of 16 pixels that is then enlarged.", [
        "none",
        "corners",
        "base",
      ]),
      order: choice("What changes last among the anchors of a place.", ["by_ratio", "by_size"]),
      step: choice("Between places: the feature stride, or the whole pixels that the grid leaves for each.", [
        "fixed",
        "grid",
      ]),
    },
  },
  objectness: {
    doc: "How objectness is read.",
    arguments: { kind: choice("Two channels an anchor, the background's first, or one.", ["softmax", "sigmoid"]) },
  },
  proposals: {
    doc: "Which proposals are kept.",
    arguments: {
      rank: choice("The best are chosen before boxes are decoded, clipped and rid of small ones, or after.", [
        "before",
        "after",
      ]),
      min_size: number("Smaller boxes are left out, in pixels.", { min: 0, default: 0 }),
      scaled: boolean("`min_size` is in pixels of the original image.", { default: false }),
      strict: boolean("A box of just that size is too small.", { default: false }),
    },
  },
  background: {
    doc: "Where the background stands among the classes.",
    arguments: { place: choice("First or last.", ["first", "last"]) },
  },
  detections: {
    doc: "What becomes of the boxes that are found.",
    arguments: {
      coordinates: choice("Whose pixels boxes are regressed, clipped and suppressed in.", ["input", "image"]),
      threshold: number("Scores up to this are left out.", { min: 0, default: 0 }),
      min_size: number("Boxes smaller than this are left out before suppression.", { min: 0, default: 0 }),
      clip: boolean("Boxes are clipped to the original image in the end.", { default: false }),
      ties: boolean("All boxes with the score of the last that is kept stay.", { default: false }),
    },
  },
});

const THRESHOLDS = {
  positive: number("From this overlap with an object on it is of that.", { min: 0, max: 1 }),
  negative: number("Below this overlap with every object it is of the background; between the two it is neither.", {
    min: 0,
    max: 1,
  }),
};

const SHARE = "At most this share of them is of objects";

const SAMPLE = {
  count: integer("How many of an image the losses are of.", { min: 1 }),
  share: number(`${SHARE}.`, { min: 0, max: 1 }),
};

const BETA = number("Where the loss of deltas is no parabola any more (`smooth_l1`); 0: their absolute differences.", {
  min: 0,
});

/** Words that a detector needs to learn besides. */
const LEARNING_WORDS = words({
  objects: {
    doc: "What is learned of the objects in training images.",
    arguments: {
      crowd: choice("Of groups that are marked as one (COCO's `iscrowd`).", ["left_out", "learned"]),
      difficult: choice("Of objects that are marked as difficult (PASCAL VOC).", ["left_out", "learned"]),
      empty: choice("Whether images without an object are trained on.", ["used", "left_out"]),
    },
  },
  anchor_targets: {
    doc: "Which anchors are of an object, and how proposals are learned.",
    arguments: {
      ...THRESHOLDS,
      best: boolean("So are the anchors that overlap an object most, however little."),
      inside: boolean("Anchors that cross the border of the image are neither.", { default: false }),
      count: integer(
        "How many of an image the losses are of; without one, all that are of an object or the background.",
        {
          min: 1,
          optional: true,
        },
      ),
      share: number(`${SHARE}; without one, any.`, { min: 0, max: 1, default: 1 }),
      beta: BETA,
      divide: choice(
        "By what losses are divided: those that were drawn, `count` for each image, or each image's by those of an object.",
        ["drawn", "count", "positives"],
      ),
    },
  },
  region_targets: {
    doc: "Which regions are of an object, and how they are learned.",
    arguments: {
      ...THRESHOLDS,
      lowest: number("Below this overlap a region is neither.", { min: 0, max: 1, default: 0 }),
      objects: boolean("The objects themselves are among the regions."),
      ...SAMPLE,
      beta: BETA,
    },
  },
});

/** The words of a `dialect`. */
export const DIALECT_WORDS = { ...FINDING_WORDS, ...LEARNING_WORDS };

/** What may be left out and was can be asked for: `dialect.anchor_targets.count != none`. */
function membersOf(values: Readonly<Record<string, EvalValue | undefined>>): ReadonlyMap<string, EvalValue> {
  return new Map(Object.entries(values).map(([name, value]) => [name, value ?? NONE]));
}

const known = new WeakMap<DeclarationValue, RecordValue>();

/**
 * What a dialect says, by its words and their arguments: `dialect.boxes.edges`. Undefined after an error, which is
 * reported.
 */
export function readDialect(value: DeclarationValue, site: Site): RecordValue | undefined {
  const before = known.get(value);
  if (before) return before;
  const opened = open(value, site);
  if (!opened) return undefined;
  const errors = site.reporter.errorCount;
  const settings = readSettings(opened, DIALECT_WORDS, site);
  const { name } = opened.declaration;
  const members = new Map<string, EvalValue>();
  for (const { name: word } of Object.values(DIALECT_WORDS)) {
    const rule = settings.last(word);
    if (rule) members.set(word, { kind: "record", of: `\`${word}\``, members: membersOf(rule.values) });
    // What it leaves open can be asked for: a detector that needs it to learn has no losses then.
    else if (word in LEARNING_WORDS) members.set(word, NONE);
    else if (site.reporter.errorCount === errors) {
      fail(site, "missing-argument", name.span, `dialect ${name.text} needs \`${word}\``);
    }
  }
  const deltas = settings.last("deltas")?.values.regions;
  if (deltas && deltas.length !== 4) {
    fail(site, "out-of-range", name.span, `\`regions\` of \`deltas\` are four numbers, not ${deltas.length}`);
  }
  if (site.reporter.errorCount > errors) return undefined;
  const found: RecordValue = { kind: "record", of: `dialect ${value.alias ?? name.text}`, members };
  known.set(value, found);
  return found;
}
