/** What graphs hold in vectors, by the names that checkpoints have. */
import { NUMBERS, type HeldTensor, type TrainingGraph } from "../../compiler/training/contract.js";
import { partValues } from "../../compiler/training/held.js";

/** What is in a vector, or among the numbers of a step, by its own name. */
export function outputsByName(
  { reads, numbers = [] }: TrainingGraph,
  outputs: readonly (readonly [string, Float32Array])[],
): Record<string, Float32Array> {
  const named = (prefix: string, held: HeldTensor): readonly (readonly [string, HeldTensor])[] => [
    [`${prefix}${held.name}`, held],
  ];
  const vectors = new Map(reads.flatMap((held) => [...named("gradient.", held), ...named("next.", held)]));
  return Object.fromEntries(
    outputs.flatMap(([name, values]) => {
      if (name === NUMBERS) return numbers.map((number, at) => [number, values.subarray(at, at + 1)] as const);
      const held = vectors.get(name);
      if (held === undefined || held.parts.length === 1) return [[name, values] as const];
      const prefix = name.slice(0, -held.name.length);
      return partValues(held, values).map(([part, own]) => [`${prefix}${part}`, own] as const);
    }),
  );
}

/** A tensor of the state, from that which holds it. */
export function partOf({ reads }: TrainingGraph, name: string, valuesOf: (held: string) => Float32Array): Float32Array {
  const held = reads.find(({ parts }) => parts.some((part) => part.name === name))!;
  return new Map(partValues(held, valuesOf(held.name))).get(name)!;
}
