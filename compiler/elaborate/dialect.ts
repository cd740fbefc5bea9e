/**
 * A `dialect` declaration: which of the field's incompatible conventions a detector follows. It becomes a record that the
 * blocks of std/detection read; the standard library's dialects say each of them for one code base, to the letter.
 */
import { boolean, choice, number, numbers, words } from "../words/schema.js";
import { open } from "./declarations.js";
import { readSettings } from "./settings.js";
import { fail, type Site } from "./site.js";
import type { DeclarationValue, EvalValue, RecordValue } from "./values.js";

/** The words of a `dialect`: every one has to be there, since a convention that is not said is one that is guessed. */
export const DIALECT_WORDS = words({
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
    if (rule) members.set(word, { kind: "record", of: `\`${word}\``, members: new Map(Object.entries(rule.values)) });
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
