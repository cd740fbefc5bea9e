/** Images whose masks are of several sizes: what is found there can't overlap what is to be found. */
import type { ObjectMask } from "../../data/masks/outline.js";
import type { AnnotatedImage, Detection } from "../../data/objects.js";
import type { Annotated } from "./group.js";

/** One line for each image in which detections have masks of another size than the annotations: those overlap nothing. */
export function otherSizes({ images, objects }: Annotated, detections: readonly Detection[]): string[] {
  const wanted = sizesByImage(objects);
  const found = sizesByImage(detections);
  return images.flatMap((image) => {
    const annotated = wanted.get(image.id);
    if (annotated === undefined) return [];
    const other = [...(found.get(image.id) ?? [])].filter((size) => annotated.size > 1 || !annotated.has(size));
    return other.length === 0 ? [] : [line(image, other, [...annotated])];
  });
}

function line({ id, textId, file }: AnnotatedImage, found: readonly string[], annotated: readonly string[]): string {
  const [ours, theirs] = [found, annotated].map((sizes) => sizes.join(" and "));
  return (
    `image ${textId ?? id} (${file}): masks of detections are ${ours} pixels, those of annotations ${theirs}; ` +
    "masks of different sizes overlap nothing"
  );
}

/** `640 x 480`, by the image's id. */
function sizesByImage(
  items: readonly { readonly image: number; readonly mask?: ObjectMask }[],
): Map<number, Set<string>> {
  const sizes = new Map<number, Set<string>>();
  for (const { image, mask } of items) {
    if (mask === undefined) continue;
    const [height, width] = mask.size;
    const known = sizes.get(image) ?? new Set();
    sizes.set(image, known.add(`${width} x ${height}`));
  }
  return sizes;
}
