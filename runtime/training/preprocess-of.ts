/** The transforms of an evaluation as the preprocessing that a compiled model carries. */
import type { Preprocess } from "../../compiler/model.js";
import { channelsOf, forChannels } from "../../compiler/preprocess.js";
import type { Statistics, TransformSettings } from "../data/index.js";
import type { MeanImage } from "../weights/trained.js";

export interface Equivalent {
  readonly preprocess: Preprocess;
  readonly meanImage?: MeanImage;
  /** Transforms that a declaration can't say, by name. */
  readonly unsaid: readonly string[];
}

type Draft = { -readonly [K in keyof Preprocess]: Preprocess[K] };
type Settings = Readonly<Record<string, unknown>>;

/**
 * The middle crop stands for ten: the classifier takes as many as it is asked for.
 *
 * @param imageSize height and width of the images that go in, where they are all the same
 * @param channels of the network: 1 for images in grey
 */
export function preprocessOf(
  transforms: readonly TransformSettings[],
  statistics: Statistics | undefined,
  imageSize?: readonly [height: number, width: number],
  channels: 1 | 3 = 3,
): Equivalent {
  const draft: Draft = {
    name: "training",
    interpolation: "bilinear",
    color: channels === 1 ? "grey" : "rgb",
    range: 1,
    mean: all(channels, 0),
    std: all(channels, 1),
  };
  let meanImage: MeanImage | undefined;
  const unsaid: string[] = [];
  const given = transforms as readonly ({ readonly kind: string } & Settings)[];
  given.forEach(({ kind, ...settings }, index) => {
    if (kind === "subtract_mean" && settings["per"] !== "channel" && statistics) {
      meanImage = subtractImage(draft, settings, statistics);
    } else if (SAYABLE[kind] !== undefined) SAYABLE[kind](draft, settings, statistics);
    else if (kind !== "pad" || !isCutOffAgain(given.slice(index + 1), imageSize)) unsaid.push(kind);
  });
  return { preprocess: draft, ...(meanImage && { meanImage }), unsaid };
}

/** A border that a crop from the middle takes away entirely. */
function isCutOffAgain(
  rest: readonly ({ readonly kind: string } & Settings)[],
  size?: readonly [number, number],
): boolean {
  const crop = rest.find(({ kind }) => MOVING.test(kind));
  if (crop?.kind !== "center_crop" || size === undefined) return false;
  const [height, width] = crop["size"] as readonly [number, number];
  return height <= size[0] && width <= size[1];
}

const MOVING = /^(pad|resize|.*crop)/;

const SAYABLE: Readonly<Record<string, (draft: Draft, settings: Settings, statistics?: Statistics) => void>> = {
  resize(draft, { size, interpolation }) {
    draft.resize = { to: size as [number, number] };
    if (interpolation) draft.interpolation = interpolation as Draft["interpolation"];
  },
  resize_shorter(draft, { length, interpolation }) {
    draft.resize = { shorter: length as number };
    if (interpolation) draft.interpolation = interpolation as Draft["interpolation"];
  },
  center_crop(draft, { size }) {
    draft.centerCrop = size as [number, number];
  },
  ten_crop(draft, { size }) {
    draft.centerCrop = size as [number, number];
  },
  normalize(draft, { mean, std, range, color }) {
    draft.range = (range as number | undefined) ?? 1;
    draft.color = (color as Draft["color"] | undefined) ?? draft.color;
    const channels = channelsOf(draft);
    draft.mean = perChannel(mean, channels, 0);
    draft.std = perChannel(std, channels, 1);
  },
  subtract_mean(draft, { divide, range = 1 }, statistics) {
    const scale = range as number;
    draft.range = scale;
    draft.mean = statistics!.channelMean.map((mean) => mean * scale);
    // What is divided by the spread of 0 to 1 and then scaled is divided by that spread alone.
    draft.std = divide === "std" ? statistics!.channelStd : statistics!.channelMean.map(() => 1);
  },
};

function perChannel(value: unknown, channels: 1 | 3, missing: number): readonly number[] {
  if (!Array.isArray(value)) return all(channels, (value as number | undefined) ?? missing);
  return forChannels(value as readonly number[], channels)!;
}

function all(channels: 1 | 3, value: number): readonly number[] {
  return new Array<number>(channels).fill(value);
}

/** (x - mean image) / std * range is x * range / std, less the mean image made the same way. */
function subtractImage(
  draft: Draft,
  { divide, range = 1 }: Settings,
  { mean, height, width, channelStd }: Statistics,
): MeanImage {
  const scale = range as number;
  draft.range = scale;
  const channels = channelStd.length;
  draft.std = divide === "std" ? channelStd : channelStd.map(() => 1);
  const data = new Float32Array(mean.length);
  const area = height * width;
  for (let i = 0; i < mean.length; i++)
    data[(i % channels) * area + Math.floor(i / channels)] = (mean[i]! * scale) / draft.std[i % channels]!;
  return { data, shape: [1, channels, height, width] };
}
