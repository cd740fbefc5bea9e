/** The channels that a preprocessing gives a network, and whether they are those that the network takes. */
import type { Model, Preprocess } from "./model.js";

/** 1 for grey, else 3. */
export function channelsOf({ color }: Pick<Preprocess, "color">): 1 | 3 {
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
  const pixels = ({ color, range, mean, std }: Preprocess): string => JSON.stringify([color, range, mean, std]);
  return pixels(a) === pixels(b);
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
  if (preprocess.color === "grey") return preprocess;
  const average = (values: readonly number[]): readonly number[] => [
    Number((values.reduce((sum, value) => sum + value, 0) / values.length).toPrecision(12)),
  ];
  const { name, mean, std } = preprocess;
  return { ...preprocess, name: `${name}, in grey`, color: "grey", mean: average(mean), std: average(std) };
}

/** Why an image can't be given to a network with so many channels; undefined where nothing stands against it. */
export function channelProblem(channels: number | undefined, preprocess: Preprocess): string | undefined {
  if (channels === undefined || channels === channelsOf(preprocess)) return undefined;
  const { name, color } = preprocess;
  if (channels !== 1 && channels !== 3) {
    return `its input has ${channels} channels; an image has 3, or 1 in grey`;
  }
  return `its input has ${channels === 1 ? "1 channel" : "3 channels"}, and preprocessing ${name} gives ${color}`;
}

export interface Fitted {
  readonly preprocess: Preprocess;
  /** What was taken for granted, in one line. */
  readonly assumed?: string;
}

/** A preprocessing that was not chosen for this network: for one channel it is made grey, and that is said. */
export function fitted(preprocess: Preprocess, channels: number | undefined): Fitted {
  if (channels !== 1 || channelsOf(preprocess) === 1) return { preprocess };
  const grey = inGrey(preprocess);
  return { preprocess: grey, assumed: `one channel: ${describeGrey(preprocess.name, grey)}` };
}

function describeGrey(name: string, { mean, std }: Preprocess): string {
  return (
    `preprocessing ${name} is followed in grey (ITU-R 601-2 luma), with the averages of its three numbers: ` +
    `mean ${mean[0]}, divided by ${std[0]}`
  );
}
