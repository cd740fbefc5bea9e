/** Trainings that take no time, by plain words: of one process, and of each rank. */
import path from "node:path";
import type { Recipe } from "../../../compiler/index.js";
import type { DataSet, LabelledSplit } from "../../../runtime/data/index.js";
import type { GradientFormat, TrainRequest } from "../../../runtime/training/request.js";
import { DETECTOR_NAMES, tinyDetector, tinyDetectorRecipe, tinyScenes } from "../../support/tiny-detector-training.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "../training/tiny.js";

export interface Job {
  readonly folder: string;
  /** A network of tiny.ts, or `detector`. */
  readonly network: string;
  /** Settings of the detector. */
  readonly settings?: string;
  readonly recipe?: Partial<Recipe>;
  /** Of tiny.ts. Default: quick. */
  readonly named?: string;
  /** Training and validation images. */
  readonly images?: readonly [number, number];
  readonly gradients?: GradientFormat;
  readonly resume?: boolean;
  readonly best?: boolean;
  readonly strict?: boolean;
  readonly sameThread?: boolean;
  readonly patience?: number;
  /** What goes wrong, on which rank, after how many updates. */
  readonly mishap?: "killed" | "hangs" | "throws" | "stops";
  readonly rank?: number;
  readonly at?: number;
  /** These images are files in a folder, which this rank does not find. */
  readonly unreadable?: { readonly rank: number; readonly images: readonly number[]; readonly folder: string };
  /** This rank has other data. */
  readonly other?: number;
}

/** @param rank of the process; undefined: one that is alone */
export async function requestOf(job: Job, rank?: number): Promise<TrainRequest> {
  const { folder, recipe, network, settings } = job;
  if (network === "detector") {
    return {
      ...{ folder, names: DETECTOR_NAMES },
      model: tinyDetector(settings),
      recipe: tinyDetectorRecipe(recipe),
      data: tinyScenes(),
    };
  }
  const [train, validation] = job.images ?? [80, 40];
  const data = await tinyData(job.other === rank && rank !== undefined ? train + 1 : train, validation);
  const { unreadable } = job;
  return {
    ...{ folder, names: NAMES },
    model: tinyModel(network),
    recipe: tinyRecipe(recipe, job.named),
    data: unreadable ? asFiles(data, unreadable, unreadable.rank === rank) : data,
  };
}

/** Some images as files, which this process finds, or does not: those of one are in a folder that is not there. */
function asFiles(
  data: DataSet<LabelledSplit>,
  { images, folder }: NonNullable<Job["unreadable"]>,
  isMissing: boolean,
): DataSet<LabelledSplit> {
  const { train } = data;
  const place = path.join(isMissing ? `${folder}-away` : folder);
  const isFile = new Set(images);
  const reference = (index: number): ReturnType<LabelledSplit["reference"]> =>
    isFile.has(index) ? { kind: "file", file: path.join(place, `${index}.png`) } : train.reference(index);
  return { ...data, train: { ...train, reference } };
}
