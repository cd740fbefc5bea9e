/** What a detector proposes for its training images, kept for a later phase of its training. */
import type { Model, Preprocess } from "../../../compiler/model.js";
import { mostProposals, proposerOf } from "../../../compiler/training/proposals.js";
import type { AnnotatedSplit } from "../../data/data-set.js";
import { DataError } from "../../data-error.js";
import { proposalBytes, writeProposals, type Proposals } from "../../data/detection/proposals.js";
import { sampleSource } from "../../data/sample.js";
import { ALONE, type Group } from "../../parallel/group.js";
import { shareOf } from "../../parallel/ranks.js";
import type { Detected, Detector, DetectorOptions } from "../../detection/detector.js";
import { asTrainingError } from "../error.js";
import { openTrained } from "./open-trained.js";

/** Images that are handed to the detector at once: it decodes ahead among them. */
const AT_ONCE = 64;
/** Unreadable images that are named. */
const NAMED = 5;

export interface KeepOptions extends Pick<DetectorOptions, "device" | "threads"> {
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
  /** Processes among which the images are shared out; the first writes. Default: this one alone. */
  readonly group?: Group;
  readonly onWarning: (message: string) => void;
  readonly onProgress: (done: number, total: number) => void;
}

/** A detector that gives the regions that this one proposes, by these weights. @throws {TrainingError} */
export async function openProposer(
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  preprocess: Preprocess,
  options: DetectorOptions,
): Promise<Detector> {
  return openTrained(
    asTrainingError(() => proposerOf(model)),
    weights,
    preprocess,
    options,
  );
}

/** Bytes that the proposals for a split take, nearly. */
export function bytesToKeep(model: Model, split: AnnotatedSplit): number {
  return proposalBytes({ images: split.annotations().images.length, most: mostProposals(model) });
}

/**
 * Whole images, as they are detected in: the augmentations of the phase that learns from them move them with the objects.
 *
 * @throws {DataError} with `strict` where an image can't be read
 */
export async function keepProposals(
  file: string,
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  preprocess: Preprocess,
  split: AnnotatedSplit,
  { device, threads, strict = false, signal, group = ALONE, onWarning, onProgress }: KeepOptions,
): Promise<void> {
  const sources = split.annotations().images.map((_, index) => sampleSource(split.reference(index)));
  const detector = await openProposer(model, weights, preprocess, {
    ...(device !== undefined && { device }),
    ...(threads !== undefined && { threads }),
  });
  let unread = 0;
  const boxesOf = (detected: Detected): Proposals => {
    if (!("error" in detected)) return detected.objects.map(({ box }) => box);
    if (strict) throw new DataError(detected.error);
    if (++unread <= NAMED) onWarning(detected.error);
    return [];
  };
  async function* batches(): AsyncGenerator<readonly Proposals[]> {
    const atOnce = AT_ONCE * group.size;
    for (let first = 0; first < sources.length; first += atOnce) {
      const own = shareOf(Math.min(atOnce, sources.length - first), group);
      const start = first + own.first;
      const found = await group.together(async () => {
        const some = await detector.detect(sources.slice(start, start + own.count), {
          onProgress(done) {
            signal?.throwIfAborted();
            onProgress(first + done * group.size, sources.length);
          },
        });
        return some.map(boxesOf);
      });
      yield found.flat();
    }
  }
  try {
    const layout = { images: sources.length, most: mostProposals(model) };
    if (group.rank === 0) await writeProposals(file, layout, batches());
    else for await (const _ of batches());
    if (unread > NAMED) onWarning(`${unread} images could not be read, and nothing is proposed for them`);
  } finally {
    await detector.close();
  }
}
