/** How often a classification model is wrong on labelled images, and what it takes for what, by the paper's ways of testing. */
import type { Preprocess } from "../../compiler/model.js";
import {
  hasThreshold,
  topPredictions,
  inputPlan,
  openWithPreparer,
  type Classifier,
  type ClassifierOptions,
  type ClassifyOptions,
  type Prediction,
} from "./classifier.js";
import { matchClasses, type ClassesBy } from "../data/class-match.js";
import { checkBatch, checkViews, forLabels, meanProbabilities, type ScoreOutput } from "./scores.js";
import { testViews } from "./test-views.js";
import { LabelTally, type LabelScores } from "./label-tally.js";
import { ClassTally, noNumbers, notNumbersLines, requireScores, type Tallied } from "./tally.js";
import {
  classesOfObjects,
  DataError,
  isAnnotated,
  isLabelled,
  isMultiLabel,
  type DataSet,
  type Split,
} from "../data/index.js";
import { sampleSource } from "../data/sample.js";
import type { Device } from "../onnx/device.js";
import { inGroups } from "../images/preparing.js";
import type { NamedSource } from "../images/source.js";
import { SessionError } from "../onnx/session-error.js";
import { ALONE, type Group } from "../parallel/group.js";

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
  /** Processes among which the images are shared out; what all find is known to each then. Default: this one alone. */
  readonly group?: Group;
  /** Called after each group of images that goes through the network at once. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What became of one image: the likeliest classes, or why there are none. Names of classes are those of the data. */
export type Predicted = {
  /** A file's path, or which sample of which data. */
  readonly file: string;
} & Known &
  ({ readonly predictions: readonly Prediction[] } | { readonly error: string });

/** What the data say of an image: the class that it is of, or all that it has. */
export type Known = { readonly label: string } | { readonly labels: readonly string[] };

/** How often a model was wrong on a split. */
export interface Evaluation extends Tallied, Judgement {}

/** How well a model tells labels of which an image has any number. */
export interface LabelEvaluation extends LabelScores, Judgement {}

/** How a model was judged. */
export interface Judgement {
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
  if (!isLabelled(split)) {
    throw new DataError(
      `${data.name}: its images have any number of classes, or objects: a class for each is needed to judge by`,
    );
  }
  return judged(model, data, split, options, (classifier) => ({
    output: forLabels(classifier.scores, data.classes.length),
    known: (index) => ({ label: data.classes[split.label(index)]! }),
    tally: (outputs) => {
      const tally = new ClassTally(data.classes, outputs);
      return {
        add: (index, scores, name) => tally.add(split.label(index), scores, name),
        result: (name) => tally.result(name),
        warnings: (name) => tally.warnings(name),
      };
    },
  }));
}

/**
 * The same by images with any number of labels: those of a labels file, or of the objects in them.
 *
 * @throws {SessionError | DataError} also for a model that gives one class an image
 */
export async function evaluateLabels(
  model: string | Uint8Array,
  data: DataSet,
  given: Split,
  options: EvaluateOptions & { readonly threshold?: number } = {},
): Promise<LabelEvaluation> {
  const split = isAnnotated(given) ? classesOfObjects(given) : given;
  if (!isMultiLabel(split)) throw new DataError(`${data.name}: its images have one class each`);
  return judged(model, data, split, options, ({ scores: output, session }) => {
    if (!hasThreshold(output)) {
      throw new SessionError(
        `${session.name}: takes one class of an image for right (softmax), and images of ${data.name} have any number`,
      );
    }
    return {
      output,
      known: (index) => ({ labels: split.labels(index).map((label) => data.classes[label]!) }),
      tally: (outputs) => {
        const tally = new LabelTally(data.classes);
        return {
          add(index, scores, name) {
            requireScores(scores, data.classes.length, name);
            const own = Float64Array.from(outputs, (place) => scores[place]!);
            tally.add(split.labels(index), own);
            return own;
          },
          result(name) {
            if (tally.notNumbers === tally.images) throw noNumbers(name);
            return tally.result(options.threshold);
          },
          warnings: (name) => notNumbersLines(name, tally.notNumbers, tally.images),
        };
      },
    };
  });
}

/** What is asked of each image, and what its scores are judged by. */
interface Asked<R> {
  readonly output: ScoreOutput;
  readonly known: (index: number) => Known;
  /** @param outputs of the model, for each class of the data */
  readonly tally: (outputs: readonly number[]) => {
    /** Gives the scores in the order of the data's classes. */
    readonly add: (index: number, scores: Float64Array, model: string) => Float64Array;
    readonly result: (model: string) => R;
    readonly warnings: (model: string) => readonly string[];
  };
}

async function judged<R>(
  model: string | Uint8Array,
  data: DataSet,
  split: Split,
  options: EvaluateOptions,
  ask: (classifier: Classifier) => Asked<R>,
): Promise<R & Judgement> {
  const { classifier, preparer } = await openWithPreparer(model, options);
  const { session, preprocess, labels } = classifier;
  try {
    const { output, known, tally: begin } = ask(classifier);
    const match = matchClasses({ name: session.name, labels, outputs: output.classes }, data, options.classesBy);
    const tally = begin(match.outputs);
    const scorer = { session, input: classifier.input, output };
    const tests = testViews({ name: session.name, ...classifier }, options);
    const batch = scorer.input.batch ?? options.batch ?? BATCH;
    checkBatch(scorer, batch);
    const group = Math.max(1, Math.floor(batch / (tests[0]!.kind === "ten crops" ? 10 : tests.length)));
    const plan = inputPlan({ input: scorer.input, preprocess }, tests);
    checkViews(session, plan);
    const { group: processes = ALONE } = options;
    const stride = group * processes.size;
    let [unreadable, images] = [0, 0];
    const own = groupsOf(split, { first: processes.rank * group, group, stride });
    const coming = inGroups(own, preparer, plan, Math.ceil(split.size / processes.size));
    const memory = {};
    const scored = async (): Promise<readonly Scored[]> => {
      const prepared = (await coming.next()).value ?? [];
      const scores = await meanProbabilities(
        scorer,
        prepared.map((each) => ("error" in each ? [] : each.crops)),
        batch,
        memory,
      );
      return prepared.map((each, i) =>
        "error" in each ? { file: each.name, error: each.error } : { file: each.name, scores: scores[i]! },
      );
    };
    for (let first = 0; first < split.size; first += stride) {
      const found = await processes.together(scored);
      found.flat().forEach((each, i) => {
        const own = { file: each.file, ...known(first + i) };
        if ("error" in each) {
          if (options.strict) throw processes.common(new DataError(each.error));
          options.onUnreadable?.(each.error);
          options.onPrediction?.({ ...own, error: each.error });
          unreadable++;
          return;
        }
        images++;
        const ordered = tally.add(first + i, each.scores, session.name);
        const predicted = ordered.every(Number.isFinite)
          ? { predictions: topPredictions(ordered, options.top ?? 5, data.classes) }
          : { error: `${each.file}: the network's scores are not finite numbers` };
        options.onPrediction?.({ ...own, ...predicted });
      });
      options.onProgress?.(Math.min(split.size, first + stride), split.size);
    }
    if (images === 0) throw new DataError(`${data.name}: no image of ${split.name} could be read`);
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

/** The images of every `stride` that one process looks at. */
function* groupsOf(
  split: Split,
  { first, group, stride }: { readonly first: number; readonly group: number; readonly stride: number },
): Generator<readonly NamedSource[]> {
  for (let start = first; start < split.size; start += stride) {
    const size = Math.min(group, split.size - start);
    yield Array.from({ length: size }, (_, i) => sampleSource(split.reference(start + i)));
  }
}

/** What one process found of an image. */
type Scored = { readonly file: string } & ({ readonly scores: Float64Array } | { readonly error: string });
