/** A classifier as what is trained: its graphs, and how it is judged. */
import { formatShape } from "../../compiler/ir/dim.js";
import type { Model } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import { requireIndependentLosses } from "../../compiler/training/build.js";
import { recipeOptions } from "../../compiler/training/from-recipe.js";
import { heldOn } from "../../compiler/training/held.js";
import { sizesFor } from "../../compiler/training/sizes.js";
import { balancedWeights, classCounts } from "../data/balanced.js";
import { DataError } from "../data-error.js";
import { classifierData, isLabelled, isMultiLabel, type ClassifiedSplit, type DataSet } from "../data/data-set.js";
import type { EngineBatch, Values } from "./engine.js";
import { asTrainingError, TrainingError } from "./error.js";
import type { Feed } from "./feed.js";
import { shareOf } from "../parallel/ranks.js";
import { Judge, type Measured } from "./judge.js";
import { withPreciseStatistics } from "./precise-statistics.js";
import { preprocessOf } from "./preprocess-of.js";
import type { ImageLogger, JudgeParts, Subject, SubjectJudge, SubjectRequest, Verdict } from "./subject.js";
import type { TargetBatch } from "./targets.js";

/** Another number of classes; images with several classes where the network tells one. @throws {TrainingError | DataError} */
export function checkClassifier({ model, data, names }: SubjectRequest): void {
  const { train } = classifierData(data);
  if (isMultiLabel(train)) asTrainingError(() => requireIndependentLosses(model, data.name));
  const classes = classesOf(model);
  if (classes !== undefined && classes !== data.classes.length) {
    throw new TrainingError(
      `${data.name} has ${data.classes.length} classes, ${model.name} tells ${classes} apart: ` +
        `train ${withClasses(names.target, data.classes.length)}`,
    );
  }
}

/** By the shape of the logits; undefined where it is not one of a classifier, which is told when the graphs are built. */
function classesOf({ graph }: Model): number | undefined {
  const { shape } = (graph.outputs.find(({ name }) => name === "logits") ?? graph.outputs[0]!).value.type;
  const classes = shape[1];
  return shape.length >= 2 && typeof classes === "number" ? classes : undefined;
}

/** `ResNet50(classes: 10)` */
function withClasses(target: string, classes: number): string {
  const call = /^(.*)\((.*)\)$/s.exec(target);
  if (!call) return `"${target.endsWith(".resnet") ? `${target}#NAME` : target}(classes: ${classes})"`;
  const others = call[2]!
    .split(/,(?![^[(]*[\])])/)
    .filter((argument) => argument.trim() !== "" && !/^\s*classes\s*:/.test(argument));
  return `"${call[1]!}(${[...others.map((argument) => argument.trim()), `classes: ${classes}`].join(", ")})"`;
}

/** @throws {TrainingError | DataError} */
export function classifierSubject(request: SubjectRequest, feed: Feed): Subject {
  const { model, recipe, data } = request;
  const { preprocess, meanImage, leftOut } = preprocessOf(feed.evaluation, feed.statistics, feed.channels);
  return {
    ...feed,
    get unreadable() {
      return feed.unreadable;
    },
    trained: {
      network: model.name,
      labels: data.classes,
      preprocess,
      ...(meanImage && { meanImage }),
      prefix: recipe.emaDecay === undefined ? "" : "ema.",
    },
    leftOut,
    warnings: [],
    notices: [],
    settings: (device, blockSize) => [
      {
        ...recipeOptions(recipe, weightsOf(recipe, feed.data)),
        evaluationBatch: evaluationBatch(recipe),
        ...(isMultiLabel(feed.data.train) && { multiLabel: true }),
        sizes: sizesFor(model, feed.size),
        device,
        blockSize,
        held: heldOn(device),
      },
    ],
    checkShape: (shape) => checkShape(shape, request, feed),
    judge: (parts) => new ClassifierJudge(recipe, feed, parts),
  };
}

function evaluationBatch({ batch, accumulate }: Recipe): number {
  return Math.min(batch / accumulate, 128);
}

/** What `balanced` comes to with these data; undefined where the recipe says something else. */
function weightsOf({ classWeights }: Recipe, data: DataSet<ClassifiedSplit>): readonly number[] | undefined {
  if (classWeights !== "balanced") return undefined;
  if (!isLabelled(data.train)) {
    throw new TrainingError(
      `class_weights balanced: counts the images of each class, and those of ${data.name} have any number of classes`,
    );
  }
  return balancedWeights(classCounts(data.train, data.classes.length), data.classes);
}

function checkShape(shape: readonly number[], { data, model }: SubjectRequest, { channels, size }: Feed): void {
  if (shape[1] !== channels) {
    throw new TrainingError(
      `${data.name} gives images of ${channels} channels after the recipe's transforms, ${model.name} takes ${shape[1]}`,
    );
  }
  if (size && (shape[2] !== size[0] || shape[3] !== size[1])) {
    throw new TrainingError(
      `${data.name} gives images of ${size.join("x")} after the recipe's transforms, ${model.name} takes ` +
        `${formatShape(shape.slice(2)).replace(/[[\]]/g, "").replace(", ", "x")}`,
    );
  }
}

/** A batch: by the weights that count, and by those of the moment, where they are asked for beside them. */
interface Looked {
  readonly looked: Measured;
  readonly raw?: Measured;
}

/** By its scores of images in batches. */
class ClassifierJudge implements SubjectJudge {
  readonly measure: "error" | "mAP";
  readonly isWhole: boolean;
  readonly #recipe: Recipe;
  readonly #feed: Feed;
  readonly #parts: JudgeParts;
  readonly #images: ImageLogger | undefined;

  constructor(recipe: Recipe, feed: Feed, parts: JudgeParts) {
    this.#recipe = recipe;
    this.#feed = feed;
    this.#parts = parts;
    this.#images = parts.classifiedImages?.(recipe, feed);
    this.measure = isMultiLabel(feed.data.validation) ? "mAP" : "error";
    // What is measured after training is not there while it goes on.
    this.isWhole = recipe.preciseStatistics === 0 && feed.evaluation.every(({ kind }) => kind !== "ten_crop");
  }

  async show(step: number, batch: EngineBatch): Promise<void> {
    await this.#images?.trained(step, batch as TargetBatch);
  }

  async judge(kind: "validation" | "test", given: ClassifiedSplit, step: number): Promise<Verdict> {
    const { engine, emit, group } = this.#parts;
    const { data, evaluate } = this.#feed;
    const recipe = this.#recipe;
    const isValidation = kind === "validation";
    const averaged = recipe.emaDecay !== undefined;
    const both = recipe.validateRaw === true && isValidation;
    const [judge, rawJudge] = [0, 1].map(() => new Judge(given, data.classes)) as [Judge, Judge];
    const size = evaluationBatch(recipe);
    const only = shareOf(Math.ceil(given.size / size), group);
    const total = Math.min(given.size, (only.first + only.count) * size) - only.first * size;
    let done = 0;
    const own = async (): Promise<Looked[]> => {
      const found: Looked[] = [];
      for await (const batch of evaluate(given, size, isValidation, only)) {
        const { images, targets } = batch;
        // The engine may take the buffer.
        const again = both ? images.slice() : undefined;
        const isShown = isValidation && done === 0 && this.#images;
        const shown = isShown ? { ...batch, images: images.slice() } : undefined;
        const evaluated = await engine.evaluate({ images, targets }, averaged);
        const raw = again && rawJudge.measure(batch, await engine.evaluate({ images: again, targets }, false));
        if (shown) await this.#images?.evaluated(step, shown, evaluated.scores);
        const looked = judge.measure(batch, evaluated);
        found.push({ looked, ...(raw && { raw }) });
        done += looked.images;
        emit({ kind: "validating", done, total });
      }
      return found;
    };
    for (const { looked, raw } of (await group.together(own)).flat()) {
      judge.add(looked);
      if (raw) rawJudge.add(raw);
    }
    if (judge.images === 0) throw new DataError(`${data.name}: no ${kind} image could be read`);
    return { ...judge.result(), ...(both && { raw: rawJudge.result() }) };
  }

  async finish(state: Values): Promise<Values> {
    const { preciseStatistics } = this.#recipe;
    if (preciseStatistics === 0) return state;
    return withPreciseStatistics(this.#parts.engine, state, this.#feed.calibration(preciseStatistics));
  }
}
