/** In which frame boxes are: of the image as its EXIF orientation stands it up, or of the pixels as they are stored. */
import type { ImageSource } from "../images/source.js";
import { orientationOf } from "../images/orientation.js";
import { counted, Tally } from "../data/sources/annotated/problems.js";
import type { Box, Annotations, AnnotatedImage } from "../data/objects.js";

/** Pixels by which a box may reach over a border that it is measured against. */
const SLACK = 2;

/** Compares annotations with the images that they are of, as these stand upright. */
export class Frames {
  readonly #boxes = new Map<number, Box[]>();
  readonly #exchanged = new Tally();
  readonly #stored = new Tally();
  readonly #unknown = new Tally();
  readonly #otherSizes = new Tally();

  constructor({ objects }: Pick<Annotations, "objects">) {
    for (const { image, box } of objects) {
      const known = this.#boxes.get(image);
      if (known === undefined) this.#boxes.set(image, [box]);
      else known.push(box);
    }
  }

  /** @param image as it was decoded, upright */
  async add(
    { id, width, height }: AnnotatedImage,
    image: { readonly name: string; readonly width: number; readonly height: number },
    source: ImageSource,
  ): Promise<void> {
    const size = `${image.width}x${image.height}`;
    const isAnnotated = width !== undefined && height !== undefined;
    const example = () => `${image.name} is ${size} upright, annotated ${width}x${height}`;
    if (isAnnotated && (width !== image.width || height !== image.height)) {
      const isExchanged = width === image.height && height === image.width;
      if (isExchanged) this.#exchanged.add(example);
      else this.#otherSizes.add(() => `${image.name} is ${size}, annotated ${width}x${height}`);
      return;
    }
    const orientation = await orientationOf(source);
    if (orientation === 1) return;
    const isLying = orientation >= 5;
    if (isAnnotated && isLying && width !== height) return;
    const boxes = this.#boxes.get(id) ?? [];
    if (boxes.length === 0) return;
    const reach = (side: 0 | 1) => boxes.reduce((most, box) => Math.max(most, box[side] + box[side + 2]!), 0);
    const [right, bottom] = [reach(0), reach(1)];
    const fits = (w: number, h: number) => right <= w + SLACK && bottom <= h + SLACK;
    if (!isLying || fits(image.width, image.height))
      this.#unknown.add(() => `${image.name}, orientation ${orientation}`);
    else if (fits(image.height, image.width)) this.#stored.add(() => `${image.name} is ${size} upright`);
  }

  /** One line each. */
  warnings(place: string): string[] {
    const of = (n: number) => counted(n, "image");
    return [
      ...this.#otherSizes.lines(place, (n) => `${of(n)} of another size than annotated`),
      ...this.#exchanged.lines(
        place,
        (n) =>
          `${of(n)} of another size than annotated, width and height exchanged: boxes on pixels as they are stored, ` +
          "not on the upright image, are in the wrong place",
      ),
      ...this.#stored.lines(
        place,
        (n) => `${of(n)} with boxes that reach out of the upright image and fit the pixels as they are stored`,
      ),
      ...this.#unknown.lines(
        place,
        (n) => `${of(n)} turned by EXIF, whose boxes are taken to be on the upright image: no size tells`,
      ),
    ];
  }
}
