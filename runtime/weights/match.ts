/** Finds, for each parameter of a network, the tensors of a weight file that it is made of. */
import type { WeightMap } from "../../compiler/model.js";
import type { Parameter } from "../../compiler/ir/types.js";
import { LAYOUTS, type Layout, type Origin } from "./layouts.js";
import { compileRename, compileWildcard } from "./pattern.js";
import type { TensorSource } from "./source.js";

/** How a file and a network go together. */
export interface Match {
  readonly source: TensorSource;
  readonly parameters: readonly Parameter[];
  /** The name map that was used; {@link OWN_NAMES} where the file has our paths. */
  readonly map: WeightMap;
  /** By parameter path. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Parameters that the file has nothing for, and the name that it would have. */
  readonly missing: readonly { readonly path: string; readonly expected: string }[];
  /** Tensors that belong to no parameter. */
  readonly unexpected: readonly string[];
  readonly misshaped: readonly Misshaped[];
}

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
  detectron2: [],
};

/**
 * Tries our own names and then the maps, and gives the first that fits entirely, else the one that leaves the fewest
 * names over. Reads no tensor. Throws a WeightsError where a map's pattern can't be understood.
 */
export function matchWeights(
  source: TensorSource,
  parameters: readonly Parameter[],
  maps: readonly WeightMap[],
): Match {
  let best: Match | undefined;
  for (const map of [OWN_NAMES, ...maps]) {
    if ((map.format === "caffe") !== (source.format === "caffe") && map !== OWN_NAMES) continue;
    const match = matchWith(source, parameters, map);
    if (isComplete(match)) return match;
    if (!best || leftOver(match) < leftOver(best)) best = match;
  }
  return best ?? matchWith(source, parameters, OWN_NAMES);
}

/** Whether every parameter has its tensor and every tensor its parameter. */
export function isComplete(match: Match): boolean {
  return match.missing.length + match.unexpected.length + match.misshaped.length === 0;
}

function leftOver(match: Match): number {
  return match.missing.length + match.unexpected.length;
}

/** The other side's names of a parameter's tensors: what {@link matchWeights} looks for, and an export writes. */
export function namer(map: WeightMap): (parameter: Parameter) => readonly Origin[] {
  const renames = map.renames.map(({ ours, theirs }) => compileRename(ours, theirs));
  const layout: Layout = LAYOUTS[map.format];
  return (parameter) => {
    const layer = layerPath(parameter);
    let theirs = layer;
    for (const rename of renames) {
      const renamed = rename(layer);
      if (renamed === undefined) continue;
      theirs = renamed;
      break;
    }
    return layout(theirs, parameter.role);
  };
}

/** `conv4.22.conv2` of `conv4.22.conv2.weight` */
export function layerPath(parameter: Parameter): string {
  return parameter.path.slice(0, parameter.path.lastIndexOf("."));
}

function matchWith(source: TensorSource, parameters: readonly Parameter[], map: WeightMap): Match {
  const originsOf = namer(map);
  const origins = new Map<string, Origin>();
  const missing: { path: string; expected: string }[] = [];
  const misshaped: Misshaped[] = [];
  const used = new Set<string>();
  for (const parameter of parameters) {
    const candidates = originsOf(parameter);
    const origin = candidates.find(({ tensors }) => tensors.every((name) => source.tensors.has(name)));
    const tensor = origin?.tensors[0] ?? "";
    if (!origin) {
      missing.push({ path: parameter.path, expected: candidates[0]?.tensors[0] ?? parameter.path });
      continue;
    }
    for (const name of origin.tensors) used.add(name);
    const ours = shapeOf(parameter);
    const theirs = source.tensors.get(tensor)?.shape ?? [];
    if (sameShape(ours, theirs, source.format)) origins.set(parameter.path, origin);
    else misshaped.push({ path: parameter.path, ours, tensor, theirs });
  }
  const ignored = [...ALWAYS_IGNORED[map.format], ...map.ignore].map(compileWildcard);
  const unexpected = [...source.tensors.keys()].filter(
    (name) => !used.has(name) && !ignored.some((isIgnored) => isIgnored(name)),
  );
  return { source, parameters, map, origins, missing, unexpected, misshaped };
}

/** A parameter's shape is known when a network is made, whatever its input. */
export function shapeOf(parameter: Parameter): number[] {
  return parameter.value.type.shape.map((dim) => (typeof dim === "number" ? dim : NaN));
}

/** Caffe's old files have four dimensions always, with ones in front. */
function sameShape(ours: readonly number[], theirs: readonly number[], format: TensorSource["format"]): boolean {
  const extra = format === "caffe" ? Math.max(0, theirs.length - ours.length) : 0;
  return (
    theirs.length - extra === ours.length &&
    theirs.slice(0, extra).every((length) => length === 1) &&
    ours.every((length, axis) => length === theirs[axis + extra])
  );
}
