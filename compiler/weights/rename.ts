/** What the other side calls a network's layers and tensors, by the renames of a name map. */
import { nearest } from "../../grammar/nearest.js";
import type { Parameter } from "../ir/types.js";
import type { Rename } from "../model.js";
import { compileRename } from "./pattern.js";

/** What a parameter is called on the other side. */
export interface Renamed {
  /** Whose name it is: the layer's, whose tensors the format names, or the tensor's own. */
  readonly of: "layer" | "tensor";
  readonly name: string;
  /** The shape of the tensor there. Absent: ours. */
  readonly shape?: readonly number[];
}

/** `conv4.22.conv2` of `conv4.22.conv2.weight` */
export function layerPath(parameter: Parameter): string {
  return parameter.path.slice(0, parameter.path.lastIndexOf("."));
}

/** The lengths of a parameter's axes, which are always known. */
export function shapeOf(parameter: Parameter): number[] {
  return parameter.value.type.shape.map((dim) => (typeof dim === "number" ? dim : NaN));
}

/**
 * Names parameters by the first rename that matches the layer or the tensor; by our own path where none does.
 *
 * @throws PatternError where a pattern can't be understood
 */
export function renamer(renames: readonly Rename[]): (parameter: Parameter) => Renamed {
  const compiled = renames.map(compiledRename);
  return (parameter) => {
    for (const rename of compiled) {
      const renamed = rename(parameter);
      if (renamed) return renamed;
    }
    return { of: "layer", name: layerPath(parameter) };
  };
}

/** Renames that name none of these parameters, with why: they match none, or one before them matches whatever they do. */
export function unusedRenames(
  renames: readonly Rename[],
  parameters: readonly Parameter[],
): { readonly rename: Rename; readonly why: "nothing" | "taken" }[] {
  const compiled = renames.map((rename) => ({ rename, matches: compiledRename(rename), matched: false, used: false }));
  for (const parameter of parameters) {
    let taken = false;
    for (const each of compiled) {
      // One that is used is done with, but may take what others match.
      if ((taken && each.matched) || !each.matches(parameter)) continue;
      each.matched = true;
      if (!taken) each.used = true;
      taken = true;
    }
  }
  return compiled
    .filter(({ used }) => !used)
    .map(({ rename, matched }) => ({ rename, why: matched ? "taken" : "nothing" }));
}

function compiledRename({ ours, theirs, reshape }: Rename): (parameter: Parameter) => Renamed | undefined {
  const rename = compileRename(ours, theirs);
  return (parameter) => {
    // A shape belongs to one tensor.
    const layer = reshape ? undefined : rename(layerPath(parameter));
    if (layer !== undefined) return { of: "layer", name: layer };
    const tensor = rename(parameter.path);
    if (tensor === undefined) return undefined;
    return { of: "tensor", name: tensor, ...(reshape && { shape: reshaped(shapeOf(parameter), reshape) }) };
  };
}

/** ONNX's Reshape: 0 keeps a length, -1 is what is left. */
function reshaped(shape: readonly number[], wanted: readonly number[]): number[] {
  const kept = wanted.map((length, axis) => (length === 0 ? (shape[axis] ?? 1) : length));
  const count = shape.reduce((product, length) => product * length, 1);
  const known = kept.reduce((product, length) => (length === -1 ? product : product * length), 1);
  return kept.map((length) => (length === -1 ? count / known : length));
}

/** The layer whose path is nearest to a pattern, numbers left out of account. */
export function nearestPath(pattern: string, parameters: readonly Parameter[]): string | undefined {
  const shape = (text: string): string => text.replaceAll(/\{[^{}]*\}|[0-9]+/g, "0");
  const paths = new Map<string, string>();
  for (const parameter of parameters) {
    const path = layerPath(parameter);
    if (!paths.has(shape(path))) paths.set(shape(path), path);
  }
  const near = nearest(shape(pattern), paths.keys());
  return near === undefined ? undefined : paths.get(near);
}
