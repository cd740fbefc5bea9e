/** The tensors and arrays in a pickle, wherever in its dictionaries they are, by the keys that lead to them. */
import type { ByteCursor, InputFile } from "./input-file.js";
import { numpyArray } from "./numpy-array.js";
import { isDangerous } from "./pickle/globals.js";
import type { PickleObserver } from "./pickle/machine.js";
import { readPickle } from "./pickle/read.js";
import { leavesOf } from "./pickle/tree.js";
import {
  dictionary,
  globalName,
  isCall,
  isCallOf,
  isGlobal,
  kindOf,
  type PickleCall,
  type PickleValue,
} from "./pickle/values.js";
import { plainName, shownName } from "./shown.js";
import { WeightsError, type TensorSource } from "./source.js";
import { stridedSource, type StridedTensor } from "./strided.js";
import { rebuilt, unwrapped, type StorageLookup } from "./torch-tensor.js";

/** Notes what a pickle asks for that has nothing to do with weights. */
export class CallNotes implements PickleObserver {
  readonly dangerous = new Set<string>();

  named(global: PickleCall["callee"]): void {
    if (isDangerous(global)) this.dangerous.add(plainName(globalName(global)));
  }

  /** Reads a pickle; one that is damaged and asks for such things is told for the latter. */
  read(cursor: ByteCursor, observer: PickleObserver = {}): PickleValue {
    try {
      return readPickle(cursor, { ...observer, named: (global) => this.named(global) });
    } catch (error) {
      if (error instanceof WeightsError && this.dangerous.size > 0) throw cursor.file.error(this.refusal());
      throw error;
    }
  }

  refusal(): string {
    return `asks for ${[...this.dangerous].slice(0, 3).join(", ")}, which no weights need; nothing was run`;
  }
}

interface Found {
  readonly tensors: StridedTensor[];
  /** Why the tensor of this name is not read. */
  readonly unread: Map<string, string>;
  /** Whole modules, by the keys that lead to them. */
  readonly modules: [place: string, name: string][];
  /** Other objects, by the keys that lead to them: their class, or the name of a function. */
  readonly objects: Map<string, string>;
  readonly pickledTensors: boolean;
}

/** An optimizer may have one for each parameter; so many are kept to be told of. */
const MOST_OBJECTS = 1000;

/**
 * `state_dict.conv1.weight` is the tensor `conv1.weight` in the dictionary that the file has as `state_dict`. Objects of
 * other classes are passed over; nothing is called. Throws a WeightsError where there is no tensor at all.
 */
export function pickledSource(
  file: InputFile,
  format: TensorSource["format"],
  root: PickleValue,
  calls: CallNotes,
  storageOf: StorageLookup = () => undefined,
): TensorSource {
  const { tensors, unread, modules, objects, pickledTensors } = search(file, root, storageOf);
  if (tensors.length === 0) {
    const [module] = modules;
    if (module) throw file.error(wholeModule(...module));
    if (pickledTensors) throw file.error("has PyTorch's tensors in a pickle of Python's own; save it with torch.save");
    if (unread.size > 0) throw file.error(`holds no tensor that can be read: ${someUnread(unread)}`);
    throw file.error(nothingFound(root, calls));
  }
  const metadata = textsOf(root);
  return {
    ...stridedSource(file, format, tensors, metadata),
    ...(unread.size > 0 && { unread }),
    ...(objects.size > 0 && { objects }),
    ...(calls.dangerous.size > 0 && { calls: [...calls.dangerous] }),
  };
}

function search(file: InputFile, root: PickleValue, storageOf: StorageLookup): Found {
  const tensors: StridedTensor[] = [];
  const unread = new Map<string, string>();
  const modules: [string, string][] = [];
  const objects = new Map<string, string>();
  let pickledTensors = false;
  for (const { keys, value } of leavesOf(root)) {
    const name = keys.join(".");
    if (isGlobal(value) && objects.size < MOST_OBJECTS) objects.set(name, plainName(globalName(value)));
    if (!isCall(value)) continue;
    const inner = unwrapped(value);
    const found =
      keys.length === 0 ? undefined : (rebuilt(file, name, inner, storageOf) ?? numpyArray(file, name, inner));
    if (found === undefined) {
      if (objects.size < MOST_OBJECTS) objects.set(name, plainName(globalName(value.callee)));
      if (isModule(value)) modules.push([name, plainName(globalName(value.callee))]);
      pickledTensors ||= isCall(inner) && isCallOf(inner.arguments[0], "torch.storage._load_from_bytes");
    } else if ("unread" in found) unread.set(name, found.unread);
    else
      tensors.push({
        ...found,
        within: keys
          .slice(0, -1)
          .map((key) => `${key}.`)
          .join(""),
      });
  }
  return { tensors, unread, modules, objects, pickledTensors };
}

/** An object with the state of a torch.nn.Module. */
function isModule(value: PickleCall): boolean {
  const state = dictionary(value.state);
  return state !== undefined && state.has("_parameters") && state.has("_modules");
}

function wholeModule(place: string, name: string): string {
  const what = place === "" ? `is a whole module (${name})` : `holds a whole module (${name}) as ${shownName(place)}`;
  return `${what}, not a state_dict; save its state_dict() with torch.save (nothing was run)`;
}

function someUnread(unread: ReadonlyMap<string, string>): string {
  const [[name, what]] = unread as unknown as [[string, string]];
  return `${shownName(name)} is ${what}${unread.size > 1 ? `, and ${unread.size - 1} more such` : ""}`;
}

function nothingFound(root: PickleValue, calls: CallNotes): string {
  if (calls.dangerous.size > 0) return calls.refusal();
  const entries = dictionary(root);
  if (entries !== undefined) {
    const keys = [...entries.keys()].slice(0, 5).map((key) => shownName(key, 40));
    return `holds no tensors${keys.length > 0 ? `; its keys are ${keys.join(", ")}` : ""}`;
  }
  const what = isCall(root) ? `one object (${plainName(globalName(root.callee))})` : `a ${kindOf(root)}`;
  return `holds ${what}, not a dictionary of tensors (a state_dict)`;
}

/** Caffe2 says who wrote a file. */
function textsOf(root: PickleValue): Readonly<Record<string, string>> {
  const author = dictionary(root)?.get("__author__");
  return typeof author === "string" ? { author } : {};
}
