/** From objectness and deltas at every place of one or more maps to regions worth looking at (arXiv:1506.01497). */
import type { Value } from "../ir/types.js";
import { first, joined, type Build, type Images } from "./build.js";
import type { Dialect } from "./dialect.js";

/** One map of a pyramid, or the only one. */
export interface ProposalMap {
  /** [N, A, h, w], or [N, 2A, h, w] for a softmax. */
  readonly objectness: Value;
  /** [N, 4A, h, w]: dx, dy, dw, dh of each anchor. */
  readonly deltas: Value;
  /** Pixels of the input between two places. */
  readonly stride: readonly [number, number];
  /** Square roots of the anchors' areas, in pixels. */
  readonly sizes: readonly number[];
}

export interface ProposeSettings {
  /** Heights through widths of the anchors. */
  readonly ratios: readonly number[];
  /** Anchors of a map that are suppressed, the best. */
  readonly top: number;
  /** Of two that overlap by more than this the better stays. */
  readonly nms: number;
  /** Regions of an image, at most. */
  readonly keep: number;
}

/** Regions [R, 5] and the probability [R, 1] that each has an object in it. */
export function propose(
  maps: readonly ProposalMap[],
  settings: ProposeSettings,
  dialect: Dialect,
  images: Images,
  build: Build,
): { readonly regions: Value; readonly scores: Value } {
  const one = first(build);
  const sizes = one("image_values", [images.info], { what: "size", apart: true });
  const candidates = maps.map((map) => candidatesOf(map, settings, dialect, { ...images, sizes }, build));
  const suppressed = candidates.map(({ boxes, scores }) =>
    one("nms", [boxes, scores], { iou: settings.nms, keep: settings.keep, inclusive: dialect.inclusive }),
  );
  const boxes = joined(
    candidates.map((each) => each.boxes),
    one,
    1,
  );
  const [regions, logits] = build("top_regions", [boxes, joined(suppressed, one, 1)], { keep: settings.keep });
  return { regions: regions!, scores: one("sigmoid", [logits!]) };
}

/** The best boxes of a map, [N, T, 4], and their logits [N, T]. */
function candidatesOf(
  map: ProposalMap,
  { ratios, top }: ProposeSettings,
  dialect: Dialect,
  images: Images & { readonly sizes: Value },
  build: Build,
): { readonly boxes: Value; readonly scores: Value } {
  const one = first(build);
  const { inclusive, lastPixel, clamp, proposals } = dialect;
  const { sizes, stride } = map;
  const anchors = one("anchors", [map.objectness, images.image], { sizes, ratios, ...dialect.anchors, stride });
  const logits = one("objectness", [map.objectness], { kind: dialect.objectness });
  const deltas = one("anchor_values", [map.deltas], { values: 4 });
  const decoded = (from: Value, by: Value): Value => {
    const weights = [1, 1, 1, 1];
    const boxes = one("box_decode", [from, by], { weights, clamp, inclusive, last_pixel: lastPixel });
    return one("box_clip", [boxes, images.sizes], { inclusive });
  };
  const withoutSmall = (scores: Value, boxes: Value): Value => {
    const scale = proposals.scaled ? [one("image_values", [images.info], { what: "enlargement" })] : [];
    const { minSize: min_size, strict } = proposals;
    return one("mask_small", [scores, boxes, ...scale], { min_size, inclusive, strict });
  };
  if (proposals.rank === "before") {
    const [scores, best] = build("top_k", [logits], { k: top });
    const boxes = decoded(one("gather_rows", [anchors, best!]), one("gather_rows", [deltas, best!]));
    return { boxes, scores: withoutSmall(scores!, boxes) };
  }
  const all = decoded(anchors, deltas);
  const [scores, best] = build("top_k", [withoutSmall(logits, all)], { k: top });
  return { boxes: one("gather_rows", [all, best!]), scores: scores! };
}
