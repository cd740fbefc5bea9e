/** Annotations with their images as a data set. */
import { DataError } from "../../../data-error.js";
import type { AnnotatedSplit, DataSet } from "../../data-set.js";
import { divided, type DivideOptions } from "../../divided.js";
import type { Annotations } from "../../objects.js";
import { imageFolder, locateImages } from "./locate.js";

/** Where the images of annotations are looked for. */
export interface ImagesOption {
  /** The folder. Default: where they usually are beside the annotations. False: nowhere, for annotations alone. */
  readonly images?: string | false;
}

/**
 * Undivided: all images that are annotated.
 *
 * @param place of the annotations: a file or a folder
 * @throws {DataError} where an image is not there
 */
export async function annotatedData(
  name: string,
  place: string,
  annotations: Annotations,
  { images }: ImagesOption,
): Promise<DataSet<AnnotatedSplit> & { readonly whole: AnnotatedSplit }> {
  const located =
    images === false ? undefined : await locateImages(annotations.images, images ?? (await imageFolder(place)));
  const whole: AnnotatedSplit = {
    name: "all",
    size: annotations.images.length,
    annotations: () => annotations,
    reference(index) {
      const file = located?.files.get(annotations.images[index]!.id);
      if (file === undefined) throw new DataError(`${name}: was opened without its images`);
      return { kind: "file", file };
    },
    isLight: false,
  };
  return {
    name,
    classes: annotations.categories.map((category) => category.name),
    train: { ...whole, name: "train", ...NONE },
    validation: { ...whole, name: "validation", ...NONE },
    whole,
    warnings: [...annotations.warnings, ...(located?.warnings ?? [])],
  };
}

/** How annotated images that come undivided are divided. */
export interface DivisionOption extends DivideOptions {
  /** They are; where a part is asked for, or a training had one, they are anyway. Default false. */
  readonly divide?: boolean;
}

/** Parts of the images for training and validation, where they are asked for. */
export function dividedWhere(
  data: DataSet<AnnotatedSplit> & { readonly whole: AnnotatedSplit },
  { divide = false, ...how }: DivisionOption,
): DataSet<AnnotatedSplit> {
  if (!divide && how.validation === undefined && how.heldOut === undefined) return data;
  const names = data.whole.annotations().images.map(({ file, stem }) => (file === "" ? (stem ?? "") : file));
  return divided(data, names, how);
}

const NONE = { size: 0, annotations: (): Annotations => ({ images: [], categories: [], objects: [], warnings: [] }) };
