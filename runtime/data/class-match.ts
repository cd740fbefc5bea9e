/** Whose class is whose: the names that a model carries against those of a data set. */
import { createHash } from "node:crypto";
import { DataError } from "../data-error.js";

/** By the classes' names, or by their places in the two lists. */
export type ClassesBy = "name" | "position";

/** Which output of a model each class of the data is. */
export interface ClassMatch {
  readonly by: ClassesBy;
  /** For each class of the data the model's output. */
  readonly outputs: readonly number[];
  /** What was assumed, in a line, where the names are not the same in the same order. */
  readonly note?: string;
}

/** Names of classes, in order. */
export interface NamedClasses {
  /** Of the model or the data, for messages. */
  readonly name: string;
  readonly classes: readonly string[];
}

/**
 * Equal sets of names are matched by name, in whatever order; Unicode's forms of a name are one name. A model without
 * names is matched by position. Other names are refused unless positions are asked for.
 *
 * @param model its name for messages, its labels where it carries any, and its number of outputs where that is known
 * @param by what is asked for
 * @throws {DataError} one line: another number of classes, or names that differ, and which
 */
export function matchClasses(
  model: {
    readonly name: string;
    readonly labels: readonly string[] | undefined;
    readonly outputs: number | undefined;
  },
  data: NamedClasses,
  by?: ClassesBy,
): ClassMatch {
  const { name, labels, outputs = labels?.length } = model;
  if (outputs !== undefined && outputs !== data.classes.length) {
    throw new DataError(`${data.name} has ${data.classes.length} classes, ${name} tells ${outputs} apart`);
  }
  const inOrder = data.classes.map((_, index) => index);
  if (labels === undefined) {
    if (by === "name") throw new DataError(`${name}: carries no names of classes to match by: --classes-by position`);
    const note = `${name} carries no names of classes: its outputs are taken in the order of those of ${data.name}`;
    return { by: "position", outputs: inOrder, note };
  }
  const [own, others] = [labels, data.classes].map((names) => names.map((each) => each.trim().normalize("NFC"))) as [
    string[],
    string[],
  ];
  const isSame = own.every((label, index) => label === others[index]);
  if (isSame) return { by: by ?? "name", outputs: inOrder };
  if (by === "position") return { by, outputs: inOrder, note: byPosition(own, others, name, data.name) };
  if (by === undefined && areImageNet(own, others)) {
    const note = `${data.name} has ImageNet's 1,000 synsets, ${name} its names: matched by ImageNet's order, which is that of both`;
    return { by: "position", outputs: inOrder, note };
  }
  const places = new Map(own.map((label, index) => [label, index]));
  const isOneToOne = places.size === own.length && new Set(others).size === others.length;
  if (isOneToOne && others.every((each) => places.has(each))) {
    const note = `${name} has the classes of ${data.name} in another order: matched by name`;
    return { by: "name", outputs: others.map((each) => places.get(each)!), note };
  }
  throw new DataError(differences(own, others, name, data.name));
}

function byPosition(own: readonly string[], others: readonly string[], model: string, data: string): string {
  const first = own.findIndex((label, index) => label !== others[index]);
  const count = own.filter((label, index) => label !== others[index]).length;
  const example = `first: ${quoted(own[first]!)} is ${quoted(others[first]!)}`;
  return `matched by position, as asked: ${count} of ${own.length} classes have another name in ${model} than in ${data} (${example})`;
}

function differences(own: readonly string[], others: readonly string[], model: string, data: string): string {
  const without = (names: readonly string[], known: readonly string[]) => {
    const set = new Set(known);
    return names.filter((each) => !set.has(each));
  };
  const [lost, strange] = [without(own, others), without(others, own)];
  const twice = [own, others].flatMap((names) => names.filter((each, index) => names.indexOf(each) !== index));
  const what =
    lost.length + strange.length === 0
      ? `names that occur twice (${someOf(twice)}) can't be matched`
      : `only ${model} has ${someOf(lost)}, only ${data} has ${someOf(strange)}`;
  const synsets = others.every((each) => /^n\d{8}$/.test(each)) ? "; the folders are called by WordNet's ids" : "";
  return `the classes of ${model} are not those of ${data}: ${what}${synsets}; --classes-by position takes them in order`;
}

function someOf(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return names.slice(0, 3).map(quoted).join(", ") + more;
}

function quoted(name: string): string {
  return JSON.stringify(name.length <= 40 ? name : `${name.slice(0, 37)}...`);
}

/**
 * SHA-256 of ImageNet's (ILSVRC 2012) synsets and of torchvision's names for them, each joined by line feeds. Both lists
 * are in the order of the synsets' ids, which is that of every published model's outputs.
 */
const IMAGENET = {
  synsets: "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd",
  names: "0b0f9fee7c952f257418d62aa701f023a9da13b443a14f5c4291e5724d92967c",
} as const;

function areImageNet(labels: readonly string[], classes: readonly string[]): boolean {
  const digest = (names: readonly string[]) => createHash("sha256").update(names.join("\n")).digest("hex");
  return labels.length === 1000 && digest(labels) === IMAGENET.names && digest(classes) === IMAGENET.synsets;
}
