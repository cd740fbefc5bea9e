/** What a match allows on request: a head that begins anew, and a first convolution for another number of channels. */
import type { Parameter } from "../../compiler/ir/types.js";
import type { Match } from "./match.js";
import { shownShape } from "./shown.js";

export interface Adapted {
  readonly match: Match;
  /** What was done, for people: one line each. */
  readonly notes: readonly string[];
  /** Parameters that begin as in a new network. */
  readonly fresh: readonly string[];
}

/** The match without the layers of the head, whatever the file has for them. */
export function withNewHead(match: Match, heads: readonly string[]): Adapted {
  const inHead = (path: string): boolean => heads.some((layer) => path.startsWith(`${layer}.`));
  const fresh = match.parameters.map(({ path }) => path).filter(inHead);
  return {
    match: {
      ...match,
      origins: new Map([...match.origins].filter(([path]) => !inHead(path))),
      missing: match.missing.filter(({ path }) => !inHead(path)),
      misshaped: match.misshaped.filter(({ path }) => !inHead(path)),
    },
    notes: [`${heads.join(" and ")} ${heads.length === 1 ? "begins" : "begin"} anew`],
    fresh,
  };
}

/** The match with first convolutions made for the network's number of channels, as timm does it (adapt_input_conv). */
export function withAdaptedInput(match: Match, convolutions: readonly Parameter[]): Adapted {
  const origins = new Map(match.origins);
  const notes: string[] = [];
  const misshaped = match.misshaped.filter((item) => {
    const { path, ours, theirs, tensor } = item;
    if (!convolutions.some((parameter) => parameter.path === path) || !isAdaptable(ours, theirs)) return true;
    origins.set(path, {
      tensors: [tensor],
      compute: (values = new Float32Array(0)) => adaptChannels(values, ours, theirs),
    });
    const how = ours[1] === 1 ? "summed over its channels" : "its channels repeated and scaled";
    notes.push(`${path} ${shownShape(ours)} is made of ${shownShape(theirs)}, ${how}`);
    return false;
  });
  return { match: { ...match, origins, misshaped }, notes, fresh: [] };
}

/** Shapes that differ in the second of four dimensions alone, where a sum or a repetition makes one of the other. */
export function isAdaptable(ours: readonly number[], theirs: readonly number[]): boolean {
  return (
    ours.length === 4 &&
    theirs.length === 4 &&
    ours.every((length, axis) => axis === 1 || length === theirs[axis]) &&
    (ours[1] === 1 || theirs[1] === 3)
  );
}

/**
 * float32[O, I, h, w] as [O, channels, h, w]: for one channel the sum, which answers to grey as the original does to equal
 * channels; for others the three repeated in turn and scaled by 3 / channels.
 */
export function adaptChannels(values: Float32Array, ours: readonly number[], theirs: readonly number[]): Float32Array {
  const [outputs = 0, channels = 0, height = 0, width = 0] = ours;
  const given = theirs[1] ?? 0;
  const area = height * width;
  const result = new Float32Array(outputs * channels * area);
  for (let output = 0; output < outputs; output++) {
    for (let i = 0; i < area; i++) {
      const at = (channel: number): number => values[(output * given + channel) * area + i] ?? 0;
      for (let channel = 0; channel < channels; channel++) {
        let value = 0;
        if (channels === 1) for (let each = 0; each < given; each++) value += at(each);
        else value = (at(channel % 3) * 3) / channels;
        result[(output * channels + channel) * area + i] = value;
      }
    }
  }
  return result;
}
