/** Which canvases a training needs, by the sizes that its images have after its transforms. Nothing is decoded for it. */
import { canvasFor, chooseCanvases, areaOf, hullOf, type Need } from "../../data/detection/canvases.js";
import { groupedPlan, proportionOf } from "../../data/detection/order.js";
import type { DetectionImage } from "../../data/detection/reader.js";
import { counted } from "../../data/sources/annotated/problems.js";
import { ImageError, type Size } from "../../images/image.js";
import type { Pipeline } from "../../images/transforms/pipeline.js";

/** Graphs of fixed sizes are made for each. */
const MOST_CANVASES = 8;
/** Images that are drawn to see which sizes batches have. */
const DRAWN = 20_000;
/** Canvases are the same whatever the seed of the training. */
const SEED = 0;

export interface CanvasPlan {
  /** Heights and widths, the smallest first; each batch goes into one of them. */
  readonly canvases: readonly Size[];
  /** Share of the tensors that no image covers, 0 to 1, on average over many batches. */
  readonly padding: number;
  /** Images that the transforms can work on. */
  readonly images: readonly DetectionImage[];
  /** How many they can't, and why the first. */
  readonly problem?: string;
}

/**
 * Batches are drawn as the training draws them, and the canvases fit what these need best. One for each group of proportions
 * holds whatever may come.
 *
 * @param multiple that sides are rounded up to
 */
export function planCanvases(
  all: readonly DetectionImage[],
  pipeline: Pick<Pipeline, "info" | "sizes">,
  batch: number,
  multiple: number,
): CanvasPlan {
  const { hulls, unfit } = largest(all, pipeline);
  const images = all.filter(({ size }) => !unfit.has(size.join("x")));
  const left = all.length - images.length;
  const problem = left === 0 ? {} : { problem: `${counted(left, "image")} (first: ${[...unfit.values()][0]!})` };
  if (images.length === 0) return { canvases: [], padding: 0, images, ...problem };
  const drawn = drawBatches(images, pipeline, batch);
  const needs = drawn.map((sizes): Need => ({ size: hullOf(sizes), batches: 1 }));
  const canvases = chooseCanvases([...needs, ...hulls.map((size) => ({ size, batches: 1 }))], multiple, MOST_CANVASES);
  const sum = (areas: readonly number[]) => areas.reduce((total, area) => total + area, 0);
  const covered = sum(drawn.flat().map(areaOf));
  const taken = sum(needs.map(({ size }) => batch * areaOf(canvasFor(canvases, size)!)));
  return { canvases, padding: 1 - covered / taken, images, ...problem };
}

/** What holds each group's images, however they are scaled; and source sizes that can't be scaled or cut as asked. */
function largest(images: readonly DetectionImage[], { sizes }: Pick<Pipeline, "sizes">) {
  const groups = new Map<number, Size[]>();
  const unfit = new Map<string, string>();
  const known = new Set<string>();
  for (const { size } of images) {
    const key = size.join("x");
    if (known.has(key)) continue;
    known.add(key);
    try {
      const group = groups.get(proportionOf(size));
      const hull = hullOf(sizes(size));
      if (group) group.push(hull);
      else groups.set(proportionOf(size), [hull]);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      unfit.set(key, error.message);
    }
  }
  return { hulls: [...groups.values()].map((group) => hullOf(group)), unfit };
}

function drawBatches(images: readonly DetectionImage[], { info }: Pick<Pipeline, "info">, batch: number): Size[][] {
  const plan = groupedPlan(
    images.map(({ size }) => proportionOf(size)),
    batch,
    SEED,
  );
  return Array.from({ length: Math.ceil(DRAWN / batch) }, (_, step) => {
    const { indices, passes } = plan.at(step);
    return indices.map((place, at): Size => {
      const { size, index } = images[place]!;
      const [height, width] = info(size, { seed: SEED, epoch: passes![at]!, index });
      return [height, width];
    });
  });
}
