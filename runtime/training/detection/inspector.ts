/** Which of an image's objects a detector learns, what became of the others, and what is odd about them. */
import type { ObjectRules } from "../../../compiler/model.js";
import type { KnownObjects } from "../../data/detection/batch.js";
import type { ObjectMask } from "../../data/masks/outline.js";
import type { AnnotatedImage, Box, GroundTruth } from "../../data/objects.js";
import { counted, shortened, Tally } from "../../data/sources/annotated/problems.js";
import type { Size } from "../../images/image.js";

/** Pixels by which a box may reach over the border without being told: annotators' rounding. */
const SLACK = 1;

export class Inspector {
  readonly #rules: ObjectRules;
  readonly #classes: ReadonlyMap<number, number>;
  readonly #masks: boolean;
  readonly #learned = new Set<number>();
  readonly #flat = new Tally();
  readonly #outside = new Tally();
  readonly #over = new Tally();
  readonly #small = new Tally();
  readonly #twice = new Tally();
  readonly #unmasked = new Tally();
  readonly #misfits = new Tally();
  readonly #crowds = new Tally();
  readonly #difficult = new Tally();
  readonly #empty = new Tally();
  /** Objects that are learned. */
  objects = 0;

  /**
   * @param classes class numbers by the category's id
   * @param masks whether objects need one
   */
  constructor(rules: ObjectRules, classes: ReadonlyMap<number, number>, masks = false) {
    this.#rules = rules;
    this.#masks = masks;
    this.#classes = classes;
  }

  /**
   * Boxes are clipped to the image; those of which nothing is left are left out.
   *
   * @returns undefined for an image that is left out
   */
  look(image: AnnotatedImage, size: Size, objects: readonly GroundTruth[]): KnownObjects | undefined {
    const [boxes, labels]: [Box[], number[]] = [[], []];
    const masks: ObjectMask[] = [];
    const seen = new Set<string>();
    for (const object of objects) {
      const box = this.#learnedBox(object, image, size);
      if (box === undefined || (this.#masks && !this.#hasMask(object, image, size))) continue;
      const label = this.#classes.get(object.category)!;
      const key = `${label} ${box.join(" ")}`;
      if (seen.has(key)) this.#twice.add(() => calledIn(object, image));
      seen.add(key);
      boxes.push(box);
      labels.push(label);
      if (this.#masks) masks.push(object.mask!);
      this.#learned.add(label);
    }
    this.objects += boxes.length;
    if (boxes.length > 0 || this.#rules.empty === "used") {
      return { boxes, labels, ...(this.#masks && { masks }) };
    }
    this.#empty.add(() => calledImage(image));
    return undefined;
  }

  #learnedBox(object: GroundTruth, image: AnnotatedImage, size: Size): Box | undefined {
    const { box, isCrowd, isDifficult } = object;
    const leftOut =
      isCrowd && this.#rules.crowd === "left_out"
        ? this.#crowds
        : isDifficult && this.#rules.difficult === "left_out"
          ? this.#difficult
          : undefined;
    if (leftOut) {
      leftOut.add(() => calledIn(object, image));
      return undefined;
    }
    const what = () => `${calledIn(object, image)}: [${box.join(", ")}] in ${size[1]}x${size[0]}`;
    const inside = clipped(box, size);
    if (!(box[2] > 0 && box[3] > 0)) this.#flat.add(what);
    else if (inside === undefined) this.#outside.add(what);
    else {
      if (overhang(box, size) > SLACK) this.#over.add(what);
      if (box[2] < 1 && box[3] < 1) this.#small.add(what);
    }
    return inside;
  }

  /** A mask is of the pixels of its image. */
  #hasMask(object: GroundTruth, image: AnnotatedImage, [height, width]: Size): boolean {
    const { mask } = object;
    if (mask === undefined) this.#unmasked.add(() => calledIn(object, image));
    else if (mask.size[0] === height && mask.size[1] === width) return true;
    else
      this.#misfits.add(() => `${calledIn(object, image)}: ${mask.size.toReversed().join("x")} in ${width}x${height}`);
    return false;
  }

  /** No object is a pixel large: boxes in shares of the images' sizes, as some tools write them. */
  get areShares(): boolean {
    return this.objects > 0 && this.#small.count === this.objects;
  }

  /** Classes of which there is no object, of so many. */
  unseen(classes: number): readonly number[] {
    return Array.from({ length: classes }, (_, index) => index).filter((index) => !this.#learned.has(index));
  }

  /** What may be a mistake: one line each. */
  warnings(place: string): string[] {
    const of = (n: number) => counted(n, "object");
    return [
      ...this.#flat.lines(place, (n) => `left out ${of(n)} whose box has no area`),
      ...this.#outside.lines(place, (n) => `left out ${of(n)} whose box is outside of the image`),
      ...this.#over.lines(place, (n) => `${of(n)} whose box reaches out of the image: clipped`),
      ...this.#small.lines(place, (n) => `${of(n)} whose box is less than a pixel wide and high`),
      ...this.#unmasked.lines(place, (n) => `left out ${of(n)} without a mask, which the detector learns`),
      ...this.#misfits.lines(place, (n) => `left out ${of(n)} whose mask is of another size than the image`),
      ...this.#twice.lines(place, (n) => `${of(n)} of the same class and box as another of the image`),
    ];
  }

  /** What the rules leave out: one line each. */
  notices(place: string): string[] {
    const rule = "as the detector's dialect says";
    return [
      ...this.#crowds.lines(place, (n) => `left out ${counted(n, "crowd")}, ${rule}`),
      ...this.#difficult.lines(place, (n) => `left out ${counted(n, "difficult object")}, ${rule}`),
      ...this.#empty.lines(place, (n) => `left out ${counted(n, "image")} without objects, ${rule}`),
    ];
  }
}

/** The part of a box that is inside of the image. */
function clipped([x, y, width, height]: Box, size: Size): Box | undefined {
  const [left, right] = [Math.max(0, x), Math.min(size[1], x + width)];
  const [top, bottom] = [Math.max(0, y), Math.min(size[0], y + height)];
  return right > left && bottom > top ? [left, top, right - left, bottom - top] : undefined;
}

function overhang([x, y, width, height]: Box, size: Size): number {
  return Math.max(-x, -y, x + width - size[1], y + height - size[0]);
}

function calledIn({ id }: GroundTruth, image: AnnotatedImage): string {
  return `object ${id} of ${calledImage(image)}`;
}

export function calledImage({ id, file, source }: AnnotatedImage): string {
  return shortened(source ?? (file === "" ? `image ${id}` : file), 80);
}
