/** How often a classification model is wrong on labelled pictures: top-1 and top-5 error, by the paper's ways of testing. */
import type { Preprocess } from "../compiler/model.js";
import { openClassifier, type ClassifierOptions, type ClassifyOptions } from "./classify.js";
import { checkBatch, forLabels, meanProbabilities, type ScoreOutput } from "./class-scores.js";
import { DataError, type DataSet, type Split } from "./data/index.js";
import { asImage } from "./data/raster.js";
import { describeSample, openSample } from "./data/sample.js";
import type { Device } from "./device.js";
import { ImageError } from "./images/image.js";
import { pixelsOf, views, type Pixels, type Planes, type View } from "./images/preprocess.js";
import type { ImageInput } from "./images/network-input.js";
import { SessionError } from "./session-error.js";

export interface EvaluateOptions extends ClassifierOptions, Pick<ClassifyOptions, "crops" | "scales" | "batch"> {
  /** An error instead of leaving an unreadable picture out. */
  readonly strict?: boolean;
  readonly onUnreadable?: (message: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Evaluation {
  readonly pictures: number;
  /** Share of pictures whose class was not the likeliest, and not among the five likeliest; 0 to 1. */
  readonly error: number;
  readonly error5: number;
  readonly unreadable: number;
  readonly device: Device;
  readonly deviceReason: string;
  readonly preprocess: Preprocess;
  /** The output that was read, and what its graph says that its numbers are. */
  readonly scores: ScoreOutput;
}

const BATCH = 32;

/**
 * Looks at every picture of a split. The model's preprocessing is followed, as when it classifies a photograph.
 *
 * @throws {SessionError | DataError}
 */
export async function evaluateModel(
  model: string | Uint8Array,
  data: DataSet,
  split: Split,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const classifier = await openClassifier(model, options);
  const { session, preprocess } = classifier;
  const output = forLabels(classifier.scores, data.classes.length);
  const { classes } = output;
  try {
    if (classes !== undefined && classes !== data.classes.length) {
      throw new DataError(`${data.name} has ${data.classes.length} classes, ${session.name} tells ${classes} apart`);
    }
    const scorer = { session, input: classifier.input, output };
    const tests = viewsOf(options);
    if (classifier.input.pixels && (options.scales !== undefined || options.crops === 10)) {
      throw new SessionError(`${session.name}: preprocesses images itself, the middle of each: no crops and no scales`);
    }
    const batch = scorer.input.batch ?? options.batch ?? BATCH;
    checkBatch(scorer, batch);
    const group = Math.max(1, Math.floor(batch / (tests[0]!.kind === "ten crops" ? 10 : tests.length)));
    const prepare = (first: number): Promise<Prepared>[] =>
      Array.from({ length: Math.max(0, Math.min(group, split.size - first)) }, (_, i) =>
        prepareSample(split, first + i, preprocess, scorer.input, tests),
      );
    let [wrong, wrong5, pictures, unreadable] = [0, 0, 0, 0];
    let coming = prepare(0);
    for (let first = 0; first < split.size; first += group) {
      const prepared = await Promise.all(coming);
      coming = prepare(first + group);
      const readable = prepared.filter((each) => {
        if (each.error === undefined) return true;
        if (options.strict) throw new DataError(each.error);
        options.onUnreadable?.(each.error);
        unreadable++;
        return false;
      });
      const scores = await meanProbabilities(
        scorer,
        readable.map(({ crops }) => crops),
        batch,
      );
      readable.forEach(({ label }, i) => {
        const place = placeOf(label, scores[i]!);
        pictures++;
        if (place >= 1) wrong++;
        if (place >= 5) wrong5++;
      });
      options.onProgress?.(Math.min(split.size, first + group), split.size);
    }
    if (pictures === 0) throw new DataError(`${data.name}: no picture of ${split.name} could be read`);
    const { device, deviceReason } = session;
    return {
      pictures,
      error: wrong / pictures,
      error5: wrong5 / pictures,
      unreadable,
      device,
      deviceReason,
      preprocess,
      scores: output,
    };
  } finally {
    await classifier.close();
  }
}

function viewsOf({ crops = 1, scales }: EvaluateOptions): readonly View[] {
  if (scales === undefined) return [{ kind: crops === 10 ? "ten crops" : "center" }];
  if (crops !== 1) throw new SessionError("scales take the whole picture: they do not go with crops");
  return scales.map((shorter) => ({ kind: "whole", shorter }));
}

interface Prepared {
  readonly label: number;
  readonly crops: readonly (Planes | Pixels)[];
  readonly error?: string;
}

async function prepareSample(
  split: Split,
  index: number,
  preprocess: Preprocess,
  input: ImageInput,
  tests: readonly View[],
): Promise<Prepared> {
  const label = split.label(index);
  const reference = split.reference(index);
  try {
    const raster = await (await openSample(reference)).pixels(1);
    if (input.pixels) return { label, crops: [pixelsOf(asImage(raster), input.channels)] };
    return { label, crops: tests.flatMap((view) => views(asImage(raster), preprocess, input.size, view)) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const name = describeSample(reference);
    return { label, crops: [], error: error.message.startsWith(name) ? error.message : `${name}: ${error.message}` };
  }
}

/** How many classes come before this one; of equals the lower number does. Not a number: all. */
function placeOf(label: number, probabilities: Float64Array): number {
  const own = probabilities[label]!;
  return probabilities.reduce(
    (before, other, i) => before + (other > own || (other === own && i < label) || !Number.isFinite(own) ? 1 : 0),
    0,
  );
}
