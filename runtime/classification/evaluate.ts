/** How often a classification model is wrong on labelled images, and what it takes for what, by the paper's ways of testing. */
import type { Preprocess } from "../../compiler/model.js";
import {
  topPredictions,
  openClassifier,
  type ClassifierOptions,
  type ClassifyOptions,
  type Prediction,
} from "./classifier.js";
import { matchClasses, type ClassesBy } from "../data/class-match.js";
import { checkBatch, forLabels, meanProbabilities, viewsFor, type ScoreOutput } from "./scores.js";
import { testViews } from "./test-views.js";
import { ClassTally, type Tallied } from "./tally.js";
import { DataError, isLabelled, type DataSet, type LabelledSplit, type Split } from "../data/index.js";
import { asImage } from "../images/transforms/raster.js";
import { describeSample, openSample } from "../data/sample.js";
import type { Device } from "../onnx/device.js";
import { ImageError, type Image } from "../images/image.js";
import { pixelsOf, type Pixels, type Planes } from "../images/planes.js";
import type { ImageInput } from "../images/network-input.js";

export type { ClassAccuracy, Tallied } from "./tally.js";

/** How a model is evaluated. */
export interface EvaluateOptions extends ClassifierOptions, Pick<ClassifyOptions, "crops" | "scales" | "batch"> {
  /**
   * How the model's classes are matched with those of the data. Default: by name where both have the same names, by
   * position where the model carries none.
   */
  readonly classesBy?: ClassesBy;
  /** An error instead of leaving an unreadable image out. */
  readonly strict?: boolean;
  /** Told of every image that can't be read, in one line that names it. */
  readonly onUnreadable?: (message: string) => void;
  /** Called for each image in the order of the split. */
  readonly onPrediction?: (predicted: Predicted) => void;
  /** Predictions of each image that are handed to `onPrediction`. Default 5. */
  readonly top?: number;
  /** Called after each group of images that goes through the network at once. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What became of one image: the likeliest classes, or why there are none. Names of classes are those of the data. */
export type Predicted = {
  /** A file's path, or which sample of which data. */
  readonly file: string;
  /** The class that it is of. */
  readonly label: string;
} & ({ readonly predictions: readonly Prediction[] } | { readonly error: string });

/** How often a model was wrong on a split. */
export interface Evaluation extends Tallied {
  /** Images that could not be read, and count for nothing. */
  readonly unreadable: number;
  /** How the model's classes were matched with those of the data. */
  readonly classesBy: ClassesBy;
  /** What was assumed or may be a mistake: one line each, those of the data too. */
  readonly warnings: readonly string[];
  readonly device: Device;
  readonly deviceReason: string;
  readonly preprocess: Preprocess;
  /** The output that was read, and what its graph says that its numbers are. */
  readonly scores: ScoreOutput;
}

const BATCH = 32;

/**
 * Looks at every image of a split. The model's preprocessing is followed, as when it classifies a photograph.
 *
 * @throws {SessionError | DataError}
 */
export async function evaluateModel(
  model: string | Uint8Array,
  data: DataSet,
  split: Split,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  if (!isLabelled(split))
    throw new DataError(`${data.name}: its images have objects with boxes; a classifier is judged by classes`);
  const classifier = await openClassifier(model, options);
  const { session, preprocess, labels } = classifier;
  const output = forLabels(classifier.scores, data.classes.length);
  try {
    const match = matchClasses({ name: session.name, labels, outputs: output.classes }, data, options.classesBy);
    const tally = new ClassTally(data.classes, match.outputs);
    const scorer = { session, input: classifier.input, output };
    const tests = testViews({ name: session.name, ...classifier }, options);
    const batch = scorer.input.batch ?? options.batch ?? BATCH;
    checkBatch(scorer, batch);
    const group = Math.max(1, Math.floor(batch / (tests[0]!.kind === "ten crops" ? 10 : tests.length)));
    const cut = tests.map((view) => viewsFor(scorer, preprocess, view));
    const prepare = (first: number): Promise<Prepared>[] =>
      Array.from({ length: Math.max(0, Math.min(group, split.size - first)) }, (_, i) =>
        prepareSample(split, first + i, scorer.input, cut),
      );
    let unreadable = 0;
    let coming = prepare(0);
    for (let first = 0; first < split.size; first += group) {
      const prepared = await Promise.all(coming);
      coming = prepare(first + group);
      const scores = await meanProbabilities(
        scorer,
        prepared.map(({ crops }) => crops),
        batch,
      );
      prepared.forEach(({ file, label, error }, i) => {
        const name = data.classes[label]!;
        if (error !== undefined) {
          if (options.strict) throw new DataError(error);
          options.onUnreadable?.(error);
          options.onPrediction?.({ file, label: name, error });
          unreadable++;
          return;
        }
        const own = tally.add(label, scores[i]!, session.name);
        const predicted = own.every(Number.isFinite)
          ? { predictions: topPredictions(own, options.top ?? 5, data.classes) }
          : { error: `${file}: the network's scores are not finite numbers` };
        options.onPrediction?.({ file, label: name, ...predicted });
      });
      options.onProgress?.(Math.min(split.size, first + group), split.size);
    }
    if (tally.images === 0) throw new DataError(`${data.name}: no image of ${split.name} could be read`);
    const { device, deviceReason } = session;
    return {
      ...tally.result(session.name),
      unreadable,
      classesBy: match.by,
      warnings: [
        ...data.warnings,
        ...classifier.assumed,
        ...(match.note === undefined ? [] : [match.note]),
        ...tally.warnings(session.name),
      ],
      device,
      deviceReason,
      preprocess,
      scores: output,
    };
  } finally {
    await classifier.close();
  }
}

interface Prepared {
  readonly file: string;
  readonly label: number;
  readonly crops: readonly (Planes | Pixels)[];
  readonly error?: string;
}

async function prepareSample(
  split: LabelledSplit,
  index: number,
  input: ImageInput,
  cut: readonly ((image: Image) => Planes[])[],
): Promise<Prepared> {
  const label = split.label(index);
  const reference = split.reference(index);
  const file = describeSample(reference);
  try {
    const raster = await (await openSample(reference)).pixels(1);
    if (input.pixels) return { file, label, crops: [pixelsOf(asImage(raster), input.channels)] };
    const image = asImage(raster);
    return { file, label, crops: cut.flatMap((views) => views(image)) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const problem = error.message.startsWith(file) ? error.message : `${file}: ${error.message}`;
    return { file, label, crops: [], error: problem };
  }
}
