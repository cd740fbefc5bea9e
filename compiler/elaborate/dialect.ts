/** `dialect` declarations to records. */
import type { Dialect } from "../detection/dialect.js";
import { boolean, choice, number, numbers, words } from "../words/schema.js";
import { open } from "./declarations.js";
import { fail, type Site } from "./evaluate.js";
import { readSettings } from "./settings.js";
import type { DeclarationValue } from "./values.js";

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

/** Undefined after an error, which is reported. */
export function readDialect(value: DeclarationValue, site: Site): Dialect | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const errors = site.reporter.errorCount;
  const settings = readSettings(opened, DIALECT_WORDS, site);
  const { name } = opened.declaration;
  const [boxes, deltas, anchors, objectness, proposals, background, detections] = [
    settings.last("boxes")?.values,
    settings.last("deltas")?.values,
    settings.last("anchors")?.values,
    settings.last("objectness")?.values,
    settings.last("proposals")?.values,
    settings.last("background")?.values,
    settings.last("detections")?.values,
  ];
  for (const { name: word } of Object.values(DIALECT_WORDS)) {
    if (settings.last(word) || site.reporter.errorCount > errors) continue;
    fail(site, "missing-argument", name.span, `dialect ${name.text} needs \`${word}\``);
  }
  if (deltas && deltas.regions.length !== 4) {
    const message = `\`regions\` of \`deltas\` are four numbers, not ${deltas.regions.length}`;
    fail(site, "out-of-range", name.span, message);
  }
  if (site.reporter.errorCount > errors) return undefined;
  if (!boxes || !deltas || !anchors || !objectness || !proposals || !background || !detections) return undefined;
  return {
    name: value.alias ?? name.text,
    inclusive: boxes.edges === "inclusive",
    lastPixel: boxes.last_pixel,
    regionWeights: deltas.regions,
    clamp: deltas.clamp,
    anchors,
    objectness: objectness.kind,
    proposals: {
      rank: proposals.rank,
      minSize: proposals.min_size,
      scaled: proposals.scaled,
      strict: proposals.strict,
    },
    background: background.place,
    detections: {
      coordinates: detections.coordinates,
      threshold: detections.threshold,
      minSize: detections.min_size,
      clip: detections.clip,
      ties: detections.ties,
    },
  };
}
