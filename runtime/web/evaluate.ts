/** How often a classifier is wrong, and what it takes for what, in a browser. */
import type { Classifier } from "../classification/classify.js";
import { ClassTally, type Tallied } from "../classification/tally.js";
import { DataError } from "../data-error.js";
import { checkClasses, isLabelled, type DataSet, type Split } from "../data/data-set.js";
import { imageOfSample, READERS, samplesBy } from "../data/samples.js";

/** Images that are asked about at a time. */
const GROUP = 32;

/** How a classifier is judged. */
export interface WebEvaluateOptions {
  /** Called after each group of images. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Asks a classifier about every image of a split, by the middle of each.
 *
 * @param data whose classes are the model's, in their order
 * @throws {SessionError | DataError} where they are not, or a split's images have no class each
 */
export async function evaluate(
  classifier: Classifier,
  data: DataSet,
  split: Split,
  { onProgress }: WebEvaluateOptions = {},
): Promise<Tallied> {
  if (!isLabelled(split)) throw new DataError(`${data.name}: its images have no class each, to judge by`);
  const { labels = data.classes, classes = labels.length, session } = classifier;
  checkClasses(data, classes);
  const other = labels.find((label, index) => label !== data.classes[index]);
  if (other !== undefined) {
    throw new DataError(`${data.name}: its classes are not the model's, in their order: ${session.name} has ${other}`);
  }
  const samples = samplesBy(READERS);
  const tally = new ClassTally(data.classes, [...data.classes.keys()]);
  for (let first = 0; first < split.size; first += GROUP) {
    const indices = Array.from({ length: Math.min(GROUP, split.size - first) }, (_, i) => first + i);
    const images = indices.map((index) => imageOfSample(samples, split.reference(index)));
    const answers = await classifier.classify(images, { top: classes, batch: GROUP });
    answers.forEach((answer, i) => {
      if ("error" in answer) throw new DataError(answer.error);
      const scores = new Float64Array(classes);
      for (const { index, probability } of answer.predictions) scores[index] = probability;
      tally.add(split.label(indices[i]!), scores, session.name);
    });
    onProgress?.(Math.min(split.size, first + GROUP), split.size);
  }
  return tally.result(session.name);
}
