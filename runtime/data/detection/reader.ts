/** Batches of a detector's training, with something done about images that can't be read. */
import { DataError } from "../../data-error.js";
import type { Size } from "../../images/image.js";
import { ImageError } from "../../images/image.js";
import type { Pipeline } from "../../images/transforms/pipeline.js";
import type { BatchPlan, PlannedBatch } from "../order.js";
import type { SampleReference } from "../sample.js";
import type { DetectionOrder, KnownObjects, LeastSizes, MadeDetectionBatch } from "./batch.js";
import { hullOf } from "./canvases.js";
import { proportionOf } from "./order.js";
import type { KeptProposals } from "./proposals.js";

/** An image to train a detector on. */
export interface DetectionImage extends KnownObjects {
  /** In its split. */
  readonly index: number;
  /** Height and width of the file, upright. */
  readonly size: Size;
}

/** Images with objects, ready for a network. */
export interface UnwaitedDetectionBatch extends Omit<MadeDetectionBatch, "failures"> {
  /** Number of the batch, from the beginning of the training. */
  readonly step: number;
  readonly epoch: number;
  /** 3, or 1 of grey. */
  readonly channels: 1 | 3;
  /** Index of each image in its split. */
  readonly indices: Uint32Array;
}

/** Images that are tried in the place of an unreadable one. */
const SUBSTITUTES = 100;

/** What a reader takes batches from. */
export interface DetectionSource extends Pick<Pipeline, "info" | "kept"> {
  readonly images: readonly DetectionImage[];
  readonly reference: (index: number) => SampleReference;
  readonly canvases: readonly Size[];
  readonly seed: number;
  readonly channels: 1 | 3;
  /** Where the detector learns from kept ones. */
  readonly proposals?: Pick<KeptProposals, "of">;
}

export class DetectionReader {
  readonly #source: DetectionSource;
  readonly #make: (order: DetectionOrder) => Promise<MadeDetectionBatch>;
  readonly #onUnreadable: (message: string) => void;
  /** Places of images that could not be read. */
  readonly #unreadable = new Map<number, string>();

  /** @param onUnreadable is called with a line for every unreadable image met; may throw */
  constructor(
    source: DetectionSource,
    make: (order: DetectionOrder) => Promise<MadeDetectionBatch>,
    onUnreadable: (message: string) => void,
  ) {
    this.#source = source;
    this.#make = make;
    this.#onUnreadable = onUnreadable;
  }

  /**
   * An unreadable image's place is taken by the next readable one of its proportions, whichever others were read before.
   *
   * @throws {DataError} where there is none
   */
  async batch(step: number, plan: BatchPlan): Promise<UnwaitedDetectionBatch> {
    const { epoch, indices, passes, whole } = plan.at(step);
    for (;;) {
      const places = indices.map((place) => this.#readable(place));
      const least = whole && this.#leastSizes(whole);
      const { failures, ...made } = await this.#make({
        ...this.#order(places, epoch, passes),
        ...(least && { least }),
      });
      if (failures.length === 0) {
        const { images, channels } = this.#source;
        return { step, epoch, channels, ...made, indices: Uint32Array.from(places, (place) => images[place]!.index) };
      }
      for (const { place, message } of failures) {
        this.#unreadable.set(places[place]!, message);
        this.#onUnreadable(message);
      }
    }
  }

  #readable(place: number): number {
    const message = this.#unreadable.get(place);
    if (message === undefined) return place;
    const { images } = this.#source;
    const group = proportionOf(images[place]!.size);
    let tried = 0;
    for (let distance = 1; distance < images.length && tried < SUBSTITUTES; distance++) {
      const other = (place + distance) % images.length;
      if (proportionOf(images[other]!.size) !== group) continue;
      if (!this.#unreadable.has(other)) return other;
      tried++;
    }
    throw new DataError(`${message}; nor is any of the ${tried} images of its proportions after it readable`);
  }

  /** Of a batch of which only some images are read here: as large as all of it has to be, wherever it is computed. */
  #leastSizes({ epoch, indices, passes }: PlannedBatch): LeastSizes {
    const { images, seed, info, kept, proposals } = this.#source;
    const each = indices.map((asked, at) => {
      const { index, size, boxes } = images[this.#readable(asked)]!;
      const key = { seed, epoch: passes?.[at] ?? epoch, index };
      try {
        const [height, width] = info(size, key);
        const count = (all: typeof boxes): number => kept(size, key, all).length;
        return { size: [height, width] as Size, objects: count(boxes), proposals: count(proposals?.of(index) ?? []) };
      } catch (error) {
        // Whoever reads it will tell.
        if (error instanceof ImageError) return { size: [0, 0] as Size, objects: 0, proposals: 0 };
        throw error;
      }
    });
    return {
      size: hullOf(each.map(({ size }) => size)),
      objects: Math.max(...each.map(({ objects }) => objects)),
      proposals: Math.max(...each.map(({ proposals: count }) => count)),
    };
  }

  #order(places: readonly number[], epoch: number, passes: readonly number[] | undefined): DetectionOrder {
    const { images, reference, canvases, seed, proposals } = this.#source;
    const some = places.map((place) => images[place]!);
    return {
      references: some.map(({ index }) => reference(index)),
      indices: some.map(({ index }) => index),
      objects: some.map(({ boxes, labels, masks, index }) => ({
        boxes,
        labels,
        ...(masks && { masks }),
        ...(proposals && { proposals: proposals.of(index) }),
      })),
      canvases,
      seed,
      epoch,
      ...(passes && { passes }),
    };
  }
}
