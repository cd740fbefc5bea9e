/**
 * How a detector is judged while it is trained: as it will be used, by COCO's average precision; and while it has learned
 * nothing but to propose, by the average recall of that.
 */
import type { Model } from "../../../compiler/model.js";
import type { PlannedPhase } from "../../../compiler/training/phase-plan.js";
import type { AnnotatedSplit } from "../../data/data-set.js";
import { isAnnotated, type Split } from "../../data/index.js";
import { DataError } from "../../data-error.js";
import type { Detector, DetectorOptions } from "../../detection/detector.js";
import { evaluateCoco, withoutMasks } from "../../detection/evaluate/coco.js";
import { detectData, type DetectDataOptions } from "../../detection/run.js";
import type { Size } from "../../images/image.js";
import type { Trained } from "../../weights/trained.js";
import type { EngineBatch, Values } from "../engine.js";
import { trainedWeights } from "../export.js";
import type { JudgeParts, SubjectJudge, Verdict } from "../subject.js";
import { learnsMasks } from "./masks.js";
import { DetectionImageLog } from "./image-log.js";
import { openProposer } from "./keep-proposals.js";
import { openTrained } from "./open-trained.js";

/** Compiles the detector with the weights of the moment. */
export class DetectorJudge implements SubjectJudge {
  readonly measure: "AP" | "AR" | undefined;
  readonly isWhole = true;
  readonly #model: Model;
  readonly #trained: Trained;
  readonly #parts: JudgeParts;
  readonly #images: DetectionImageLog | undefined;
  /** What every validation would say again. */
  readonly #said = new Set<string>();

  /** @param canvases sizes of the training's tensors, by their number */
  constructor(
    model: Model,
    trained: Trained,
    measures: PlannedPhase["measures"],
    canvases: readonly Size[],
    parts: JudgeParts,
  ) {
    this.#model = model;
    this.#trained = trained;
    this.measure = measures === "network" ? "AP" : measures === "proposals" ? "AR" : undefined;
    this.#parts = parts;
    const { events, options } = parts;
    const { labels, preprocess } = trained;
    if (options.images && events)
      this.#images = new DetectionImageLog(events, options.images, { labels, preprocess, canvases });
  }

  async show(step: number, batch: EngineBatch): Promise<void> {
    await this.#images?.trained(step, batch);
  }

  async judge(kind: "validation" | "test", split: Split, step: number): Promise<Verdict> {
    if (!isAnnotated(split)) throw new DataError(`${split.name}: has no objects in its images`);
    if (this.measure === "AR") return this.#recall(split);
    const shown = kind === "validation" ? this.#images?.validation(split) : undefined;
    const detector = await this.#opened(openTrained);
    try {
      const { data, detections } = await detectData(detector, split, {
        ...this.#telling(),
        ...(shown && { onDetected: shown.add }),
      });
      const { summary } = evaluateCoco(data, detections);
      await shown?.end(step);
      const found = { AP: Math.max(0, summary.AP), AP50: Math.max(0, summary.AP50) };
      if (!learnsMasks(this.#model)) return found;
      const problem = withoutMasks(data, detections);
      if (problem !== undefined) this.#warnOnce(problem);
      const masks = problem === undefined ? evaluateCoco(data, detections, "masks").summary.AP : undefined;
      return { ...found, ...(masks !== undefined && { maskAP: Math.max(0, masks) }) };
    } finally {
      await detector.close();
    }
  }

  /** Of all objects, of whatever class, by the best regions of each image. */
  async #recall(split: AnnotatedSplit): Promise<Verdict> {
    const detector = await this.#opened(openProposer);
    // Their scores are 1, 1/2, 1/3, ...
    const best: Detector = {
      ...detector,
      detect: (images, how) => detector.detect(images, { ...how, score: 1 / (MOST + 0.5) }),
    };
    try {
      const { data, detections } = await detectData(best, ofOneClass(split), this.#telling());
      return { AR: Math.max(0, evaluateCoco(data, detections).summary.AR100) };
    } finally {
      await detector.close();
    }
  }

  #how(): Pick<DetectorOptions, "device" | "threads"> {
    const { engine, options } = this.#parts;
    return { device: engine.device, ...(options.threads !== undefined && { threads: options.threads }) };
  }

  #telling(): DetectDataOptions {
    const { options, emit, group } = this.#parts;
    return {
      group,
      ...(options.strict && { strict: true }),
      onWarning: (message) => this.#warnOnce(message),
      onProgress(done, total) {
        options.signal?.throwIfAborted();
        emit({ kind: "validating", done, total });
      },
    };
  }

  /** What it is opened as, with the weights of the moment. */
  async #opened(open: typeof openTrained): Promise<Detector> {
    const weights = trainedWeights(this.#model, await this.#parts.engine.getState());
    return open(this.#model, weights, this.#trained.preprocess, this.#how());
  }

  #warnOnce(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.#parts.emit({ kind: "warning", message });
  }

  finish(state: Values): Promise<Values> {
    return Promise.resolve(state);
  }
}

/** Regions of an image that recall is measured by. */
const MOST = 100;

/** The same objects, of the one class that a proposer tells. */
function ofOneClass(split: AnnotatedSplit): AnnotatedSplit {
  const annotations = () => {
    const all = split.annotations();
    const category = { id: 1, name: "object" };
    return { ...all, categories: [category], objects: all.objects.map((object) => ({ ...object, category: 1 })) };
  };
  return { ...split, annotations };
}
