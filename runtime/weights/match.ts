/** Finds, for each parameter of a network, the tensors of a weight file that it is made of. */
import type { WeightMap } from "../../compiler/model.js";
import type { Parameter } from "../../compiler/ir/types.js";
import { compileWildcard, PatternError } from "../../compiler/weights/pattern.js";
import { renamer, shapeOf } from "../../compiler/weights/rename.js";
import { LAYOUTS, type Layout, type ParameterOrigin } from "./layouts.js";
import { plainName } from "./shown.js";
import { WeightsError, type TensorSource } from "./source.js";
import {
  byPreference,
  candidates,
  isBookkeeping,
  isNamed,
  isOptimizerState,
  nameOf,
  under,
  type Candidate,
} from "./state-dicts.js";

/** How a file and a network go together. */
export interface Match {
  /** The state dict that was taken: the file's tensors without {@link prefix}. */
  readonly source: TensorSource;
  /** What the names in the file begin with: `state_dict.module.`; empty where they are the network's as they are. */
  readonly prefix: string;
  /** Prefixes of other state dicts in the file, which fit as well. */
  readonly alternatives: readonly string[];
  /** The file's names of tensors that are not the network's: another state dict, the optimizer's, counters. */
  readonly beside: readonly string[];
  readonly parameters: readonly Parameter[];
  /** The name map that was used; {@link OWN_NAMES} where the file has our paths. */
  readonly map: WeightMap;
  /** By parameter path. */
  readonly origins: ReadonlyMap<string, ParameterOrigin>;
  /** Parameters that the file has nothing for, and the name that it would have. */
  readonly missing: readonly { readonly path: string; readonly expected: string }[];
  /** Tensors that belong to no parameter. */
  readonly unexpected: readonly string[];
  readonly misshaped: readonly Misshaped[];
}

/** A parameter whose tensor has another shape. */
export interface Misshaped {
  readonly path: string;
  readonly ours: readonly number[];
  readonly tensor: string;
  readonly theirs: readonly number[];
}

/** Files with our own paths need no map. */
export const OWN_NAMES: WeightMap = { name: "own paths", format: "pytorch", renames: [], ignore: [] };

/** Tensors that no framework needs for computing. */
const ALWAYS_IGNORED: Readonly<Record<WeightMap["format"], readonly string[]>> = {
  pytorch: ["*.num_batches_tracked", "num_batches_tracked"],
  caffe: [],
  // Caffe2 saves the optimizer's momentum beside each weight.
  detectron2: ["*_momentum"],
};

/** What of a file is matched. */
export interface MatchOptions {
  /** Which state dict of the file is taken, by the keys that lead to it or the first of them; `.` is the file itself. */
  readonly stateDict?: string;
}

/**
 * Tries our own names and then the maps, and gives the first that fits entirely, else the one that leaves the fewest
 * names over; of the file's state dicts the one that fits best. Reads no tensor. Throws a WeightsError where a map's
 * pattern can't be understood, or the file has no state dict of the name that was asked for.
 */
export function matchWeights(
  source: TensorSource,
  parameters: readonly Parameter[],
  maps: readonly WeightMap[],
  { stateDict }: MatchOptions = {},
): Match {
  let best: Match | undefined;
  const seen = new Set<string>();
  for (const map of [OWN_NAMES, ...maps]) {
    if ((map.format === "caffe") !== (source.format === "caffe") && map !== OWN_NAMES) continue;
    const found = candidates(source, expectedNames(parameters, map));
    for (const { prefix } of found) seen.add(prefix);
    const match = bestOf(found, stateDict, (prefix) => matchWith(source, prefix, parameters, map, found));
    if (isComplete(match)) return match;
    if (!best || leftOver(match) < leftOver(best)) best = match;
  }
  const match = best!;
  if (stateDict !== undefined && match.source.tensors.size === 0) {
    const known = [...seen].filter((prefix) => !isOptimizerState(prefix)).slice(0, 6);
    const list = known.length > 0 ? `; it has ${known.map((prefix) => plainName(nameOf(prefix))).join(", ")}` : "";
    throw new WeightsError(`${source.file}: has no state dict ${plainName(stateDict)}${list}`);
  }
  return match;
}

/** The best match under the prefixes that may be taken, with the others that are as good. */
function bestOf(found: readonly Candidate[], wanted: string | undefined, matchUnder: (prefix: string) => Match): Match {
  const allowed = found.filter(({ prefix }) =>
    wanted === undefined ? !isOptimizerState(prefix) : isNamed(wanted, prefix),
  );
  const most = allowed[0]?.count ?? 0;
  const matches = allowed.filter(({ count }) => 2 * count >= most).map(({ prefix }) => matchUnder(prefix));
  if (matches.length === 0) return matchUnder(wanted === undefined || wanted === "." ? "" : `${wanted}.`);
  const fitting = Math.max(...matches.map(({ origins }) => origins.size));
  const [taken, ...others] = matches
    .filter(({ origins }) => origins.size === fitting)
    .sort((a, b) => Number(isComplete(b)) - Number(isComplete(a)) || byPreference(a.prefix, b.prefix));
  return { ...taken!, alternatives: fitting > 0 ? others.map(({ prefix }) => prefix) : [] };
}

function expectedNames(parameters: readonly Parameter[], map: WeightMap): ReadonlySet<string> {
  const originsOf = namer(map);
  return new Set(parameters.flatMap((parameter) => originsOf(parameter).map(({ tensors }) => tensors[0]!)));
}

/** The file's names of the network's layers, without a prefix. */
export function theirLayers({ parameters, map }: Match): ReadonlySet<string> {
  return new Set([...expectedNames(parameters, map)].map((name) => name.slice(0, name.lastIndexOf("."))));
}

/** Whether every parameter has its tensor and every tensor its parameter. */
export function isComplete(match: Match): boolean {
  return match.missing.length + match.unexpected.length + match.misshaped.length === 0;
}

function leftOver(match: Match): number {
  return match.missing.length + match.unexpected.length;
}

/**
 * The other side's names of a parameter's tensors: what {@link matchWeights} looks for, and an export writes.
 *
 * @throws WeightsError where a pattern of the map can't be understood
 */
export function namer(map: WeightMap): (parameter: Parameter) => readonly ParameterOrigin[] {
  const layout: Layout = LAYOUTS[map.format];
  const rename = renamerOf(map);
  return (parameter) => {
    const { of, name, shape } = rename(parameter);
    return of === "layer" ? layout(name, parameter.role) : [{ tensors: [name], ...(shape && { shape }) }];
  };
}

function renamerOf(map: WeightMap): ReturnType<typeof renamer> {
  try {
    return renamer(map.renames);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new WeightsError(`the name map ${map.name}: ${error.message}`);
  }
}

function matchWith(
  whole: TensorSource,
  prefix: string,
  parameters: readonly Parameter[],
  map: WeightMap,
  found: readonly Candidate[],
): Match {
  const source = under(whole, prefix);
  const originsOf = namer(map);
  const origins = new Map<string, ParameterOrigin>();
  const missing: { path: string; expected: string }[] = [];
  const misshaped: Misshaped[] = [];
  const used = new Set<string>();
  for (const parameter of parameters) {
    const options = originsOf(parameter);
    const origin = options.find(({ tensors }) => tensors.every((name) => source.tensors.has(name)));
    const tensor = origin?.tensors[0] ?? "";
    if (!origin) {
      missing.push({ path: parameter.path, expected: options[0]?.tensors[0] ?? parameter.path });
      continue;
    }
    for (const name of origin.tensors) used.add(name);
    const ours = shapeOf(parameter);
    const theirs = source.tensors.get(tensor)?.shape ?? [];
    if (origin.shape ? origin.shape.join() === theirs.join() : sameShape(ours, theirs, source.format))
      origins.set(parameter.path, origin);
    else misshaped.push({ path: parameter.path, ours, tensor, theirs });
  }
  const ignored = [...ALWAYS_IGNORED[map.format], ...map.ignore].map(compileWildcard);
  const left = [...source.tensors.keys()].filter(
    (name) => !used.has(name) && !ignored.some((isIgnored) => isIgnored(name)),
  );
  const others = otherStateDicts(prefix, found);
  const isBeside = (name: string): boolean =>
    used.size > 0 &&
    ((map.format === "pytorch" && isBookkeeping(name)) ||
      others.some((other) => name.startsWith(other)) ||
      (source.tensors.get(name)?.within ?? "").length > prefix.length);
  return {
    source,
    prefix,
    alternatives: [],
    beside: [
      ...[...whole.tensors.keys()].filter((name) => !name.startsWith(prefix)),
      ...left.filter(isBeside).map((name) => prefix + name),
    ],
    parameters,
    map,
    origins,
    missing,
    unexpected: left.filter((name) => !isBeside(name)),
    misshaped,
  };
}

/** Prefixes, without the one that was taken, under which the network's names are again: averages, the optimizer's state. */
function otherStateDicts(prefix: string, found: readonly Candidate[]): readonly string[] {
  const taken = found.find((each) => each.prefix === prefix)?.count ?? 0;
  return found
    .filter((other) => other.prefix !== prefix && other.prefix.startsWith(prefix) && 2 * other.count >= taken)
    .map((other) => other.prefix.slice(prefix.length));
}

/** A parameter's shape is known when a network is made, whatever its input. */
/**
 * Axes of length 1 at the end are none: a 1x1 convolution's weights are a fully connected layer's, one number a channel is
 * [C] or [C, 1, 1]. Caffe's old files have four dimensions always, with ones in front.
 */
function sameShape(ours: readonly number[], theirs: readonly number[], format: TensorSource["format"]): boolean {
  const extra = format === "caffe" ? Math.max(0, theirs.length - ours.length) : 0;
  const isAfterOnes = extra > 0 && theirs.slice(0, extra).every((length) => length === 1);
  return (
    withoutLastOnes(ours).join() === withoutLastOnes(theirs).join() ||
    (isAfterOnes && ours.join() === theirs.slice(extra).join())
  );
}

function withoutLastOnes(shape: readonly number[]): readonly number[] {
  return shape.slice(0, shape.findLastIndex((length) => length !== 1) + 1);
}
