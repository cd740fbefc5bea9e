/** What a preprocessing makes of pixels: the channels that it gives a network, and whether they are those that it takes. */
import type { Model, Preprocess } from "./model.js";
import type { Values } from "./words/schema.js";
import type { TRANSFORM_WORDS } from "./words/transforms.js";
import { type TransformSettings } from "./words/transforms.js";

/** What `normalize` does: the order of the channels, the value of white, and the numbers of each channel. */
export type Normalization = Values<typeof TRANSFORM_WORDS.normalize.arguments>;

/** What the values mean in the end; where nothing says it, black is 0 and white 1, in the order red, green, blue. */
export function normalizationOf({ transforms }: Pick<Preprocess, "transforms">): Normalization {
  const said = transforms.findLast(({ kind }) => kind === "normalize") as Partial<Normalization> | undefined;
  const { color = "rgb", range = 1, mean, std } = said ?? {};
  const numbers = (given: readonly number[] | undefined, missing: number): readonly number[] =>
    given ?? new Array<number>(channelsOf({ color })).fill(missing);
  return { color, range, mean: numbers(mean, 0), std: numbers(std, 1) };
}

/** 1 for grey, else 3. */
export function channelsOf({ color }: Pick<Normalization, "color">): 1 | 3 {
  return color === "grey" ? 1 : 3;
}

/**
 * Numbers of channels for so many channels. One number alone was written for all of them; undefined where they are
 * those of another colour.
 */
export function forChannels(numbers: readonly number[], channels: 1 | 3): readonly number[] | undefined {
  if (numbers.length === channels) return numbers;
  return channels === 1 && numbers.every((each) => each === numbers[0]) ? numbers.slice(0, 1) : undefined;
}

/** Whether both give a network the same numbers for the same colours. */
export function samePixels(a: Preprocess, b: Preprocess): boolean {
  return JSON.stringify(normalizationOf(a)) === JSON.stringify(normalizationOf(b));
}

/**
 * Why transforms can't follow one another: an image is scaled as it was decoded, and normalised once.
 *
 * @returns the place of the second of the two in the list
 */
export function orderProblem(
  transforms: readonly TransformSettings[],
): { readonly at: number; readonly message: string } | undefined {
  let changed: string | undefined;
  for (const [at, { kind, like }] of transforms.entries()) {
    const scales = kind === "resize" || kind === "resize_shorter";
    if (changed === "normalize" && kind === "normalize")
      return { at, message: "`normalize` stands here a second time" };
    if (changed !== undefined && scales) {
      return { at, message: `\`${kind}\` has to come before \`${changed}\`, which changes what the values mean` };
    }
    if (kind === "normalize" || like === "torch" || like === "opencv") changed = kind;
  }
  return undefined;
}

/** `3 numbers` */
export function counted(numbers: readonly unknown[]): string {
  return numbers.length === 1 ? "1 number" : `${numbers.length} numbers`;
}

/** The channels of a network's image, where they are known. */
export function imageChannels({ graph }: Pick<Model, "graph">): number | undefined {
  const channels = graph.inputs[0]?.value.type.shape[1];
  return typeof channels === "number" ? channels : undefined;
}

/**
 * The same in grey: what networks whose filters were summed over their channels are given. Mean and deviation are the
 * averages of the three.
 */
export function inGrey(preprocess: Preprocess): Preprocess {
  const { color, range, mean, std } = normalizationOf(preprocess);
  if (color === "grey") return preprocess;
  const average = (values: readonly number[]): readonly number[] => [
    Number((values.reduce((sum, value) => sum + value, 0) / values.length).toPrecision(12)),
  ];
  const grey = { kind: "normalize", mean: average(mean), std: average(std), range, color: "grey" };
  const { name, transforms } = preprocess;
  const at = transforms.findLastIndex(({ kind }) => kind === "normalize");
  return { name: `${name}, in grey`, transforms: at < 0 ? [...transforms, grey] : transforms.with(at, grey) };
}

/** Why an image can't be given to a network with so many channels; undefined where nothing stands against it. */
export function channelProblem(channels: number | undefined, preprocess: Preprocess): string | undefined {
  const { color } = normalizationOf(preprocess);
  if (channels === undefined || channels === channelsOf({ color })) return undefined;
  if (channels !== 1 && channels !== 3) {
    return `its input has ${channels} channels; an image has 3, or 1 in grey`;
  }
  const inputs = channels === 1 ? "1 channel" : "3 channels";
  return `its input has ${inputs}, and preprocessing ${preprocess.name} gives ${color}`;
}

export interface Fitted {
  readonly preprocess: Preprocess;
  /** What was taken for granted, in one line. */
  readonly assumed?: string;
}

/** A preprocessing that was not chosen for this network: for one channel it is made grey, and that is said. */
export function fitted(preprocess: Preprocess, channels: number | undefined): Fitted {
  if (channels !== 1 || channelsOf(normalizationOf(preprocess)) === 1) return { preprocess };
  const grey = inGrey(preprocess);
  return { preprocess: grey, assumed: `one channel: ${describeGrey(preprocess.name, grey)}` };
}

function describeGrey(name: string, grey: Preprocess): string {
  const { mean, std } = normalizationOf(grey);
  return (
    `preprocessing ${name} is followed in grey (ITU-R 601-2 luma), with the averages of its three numbers: ` +
    `mean ${mean[0]}, divided by ${std[0]}`
  );
}
