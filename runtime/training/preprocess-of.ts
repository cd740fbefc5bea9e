/** The transforms of an evaluation as the preprocessing that a compiled model carries. */
import type { Preprocess } from "../../compiler/model.js";
import { forChannels } from "../../compiler/preprocess.js";
import { subtractsImage as subtracts, type Recipe } from "../../compiler/recipe.js";
import type { Statistics, TransformSettings } from "../data/index.js";
import { planesOf } from "../images/planes.js";
import {
  completeTransforms,
  isGeometry,
  isLeftToChance,
  NO_CHANCE,
  preparePipeline,
  deterministicTransforms,
} from "../images/transforms/pipeline.js";
import type { MeanImage } from "../weights/trained.js";

export interface Equivalent {
  readonly preprocess: Preprocess;
  readonly meanImage?: MeanImage;
  /** Transforms that a model can't follow, by name: they do something else each time, or take a mean image apart. */
  readonly leftOut: readonly string[];
}

/**
 * The same list, but for what was measured: a mean of the channels becomes numbers, a mean image is the model's own. The
 * middle crop stands for ten: the classifier takes as many as it is asked for.
 *
 * @param channels of the network: 1 for images in grey
 */
export function preprocessOf(
  transforms: readonly TransformSettings[],
  statistics: Statistics | undefined,
  channels: 1 | 3 = 3,
): Equivalent {
  const list = deterministicTransforms(transforms).map((transform) =>
    transform.kind === "ten_crop" ? { ...transform, kind: "center_crop" } : transform,
  );
  const said = list.map((transform) => {
    if (transform.kind === "subtract_mean") return withoutMean(transform, statistics!, channels);
    return transform.kind === "normalize" ? inChannels(transform, channels) : transform;
  });
  const isNormalized = said.some(({ kind }) => kind === "normalize");
  if (channels === 1 && !isNormalized) said.push(inChannels({ kind: "normalize" }, channels));
  const at = list.findIndex(subtractsImage);
  const meanImage = at < 0 ? undefined : meanImageOf(list[at]!, statistics!, list.slice(at + 1).filter(isGeometry));
  return {
    preprocess: { name: "training", transforms: completeTransforms(said) },
    ...(meanImage && { meanImage }),
    // Each view has a part of the mean image of its own then, and a model has one mean image for all.
    leftOut: transforms
      .filter(
        (transform, place) =>
          isLeftToChance(transform) || (transform.kind === "ten_crop" && meanBefore(transforms, place)),
      )
      .map(({ kind }) => kind),
  };
}

/** Settings of programs are checked when a training begins. */
function subtractsImage(transform: TransformSettings): boolean {
  return subtracts(transform as Recipe["train"][number]);
}

function meanBefore(transforms: readonly TransformSettings[], place: number): boolean {
  return transforms.slice(0, place).some(subtractsImage);
}

/** `normalize` with as many numbers as there are channels. */
function inChannels({ kind, ...settings }: TransformSettings, channels: 1 | 3): TransformSettings {
  const numbers = (value: unknown, missing: number): readonly number[] =>
    forChannels((value as readonly number[] | undefined) ?? all(channels, missing), channels)!;
  const color = settings["color"] ?? (channels === 1 ? "grey" : "rgb");
  return { kind, ...settings, color, mean: numbers(settings["mean"], 0), std: numbers(settings["std"], 1) };
}

/** What `subtract_mean` does besides subtracting an image, or where it subtracts a colour, that too. */
function withoutMean(
  { per, divide, range = 1 }: TransformSettings,
  { channelMean, channelStd }: Statistics,
  channels: 1 | 3,
): TransformSettings {
  const scale = range as number;
  const mean = per === "channel" ? channelMean.map((each) => each * scale) : all(channels, 0);
  // What is divided by the spread of 0 to 1 and then scaled is divided by that spread alone.
  return inChannels(
    { kind: "normalize", mean, std: divide === "std" ? channelStd : all(channels, 1), range },
    channels,
  );
}

function all(channels: 1 | 3, value: number): readonly number[] {
  return new Array<number>(channels).fill(value);
}

/**
 * (x - mean image) / std * range is x * range / std, less the mean image made the same way.
 *
 * @param after what moves pixels once it was subtracted: the mean image moves with them
 */
function meanImageOf(
  { divide, range = 1 }: TransformSettings,
  { mean, height, width, channelStd }: Statistics,
  after: readonly TransformSettings[],
): MeanImage {
  const scale = range as number;
  const channels = channelStd.length as 1 | 3;
  const data = new Float32Array(height * width * 3);
  for (let i = 0; i < data.length; i++) {
    const channel = channels === 1 ? 0 : i % 3;
    const value = mean[Math.floor(i / 3) * channels + channel]! * scale;
    data[i] = divide === "std" ? value / channelStd[channel]! : value;
  }
  const [moved] = preparePipeline(after).begin([height, width], NO_CHANCE).finish({ height, width, data });
  const planes = planesOf(moved!, channels);
  return {
    data: planes.data,
    shape: [1, channels, planes.height, planes.width],
    ...(after.length > 0 && { views: "center" }),
  };
}
