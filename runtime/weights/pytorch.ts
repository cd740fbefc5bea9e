/**
 * What torch.save writes (`.pth`, `.pt`): a zip of one pickle and one entry a storage, or before torch 1.6 a row of
 * pickles followed by the storages.
 *
 * The pickle says which tensors there are: calls of `_rebuild_tensor_v2(storage, offset, shape, strides, ...)` whose
 * storage is a persistent id. See torch/serialization.py and torch/_utils.py of PyTorch.
 */
import { openArchive } from "./archive.js";
import { ELEMENT_SIZE } from "./elements.js";
import { ByteCursor, type InputFile } from "./input-file.js";
import { readPickle } from "./pickle/machine.js";
import {
  dictionary,
  integers,
  isCallOf,
  isGlobal,
  kindOf,
  sequenceItems,
  type PickleCall,
  type PicklePersistent,
  type PickleValue,
} from "./pickle/values.js";
import type { StoredType, TensorSource } from "./source.js";
import { fileRegion, stridedSource, stridedTensor, type Storage, type StridedTensor } from "./strided.js";

const DTYPE_OF_STORAGE: Readonly<Record<string, StoredType>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
  UntypedStorage: "uint8",
};

/** The bytes that a storage key names. */
type StorageLookup = (key: string) => Storage | undefined;

/** `.pth` as a zip. Throws a WeightsError. */
export async function openPytorchArchive(file: InputFile): Promise<TensorSource> {
  const entries = await openArchive(file);
  const pickle = [...entries.values()].find((entry) => /^([^/]+\/)?data\.pkl$/.test(entry.name));
  if (!pickle) throw file.error("is a zip, but not one of torch.save: it has no data.pkl");
  const folder = pickle.name.slice(0, -"data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw file.error("is a TorchScript program; save its state_dict with torch.save instead");
  }
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder && Buffer.from(byteOrder.storage.read(0, Math.min(byteOrder.byteLength, 8))).toString() === "big") {
    throw file.error("was written on a big-endian machine, which is not read");
  }
  pickle.storage.read(0, 0); // checks the checksum before the pickle is believed
  const root = readPickle(new ByteCursor(file, pickle.start, pickle.start + pickle.byteLength));
  return stridedSource(
    file,
    "pytorch",
    tensorsOf(file, root, (key) => entries.get(`${folder}data/${key}`)?.storage),
  );
}

/** The pickle that begins an old file: torch's magic number, 0x1950a86a20f9469cfc6c. */
export const LEGACY_MAGIC = Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");

/** `.pth` of before torch 1.6: magic number, protocol, system, object, storage keys, storages. Throws a WeightsError. */
export function openPytorchLegacy(file: InputFile): TensorSource {
  const cursor = new ByteCursor(file);
  readPickle(cursor);
  if (readPickle(cursor) !== 1001) throw file.error("is damaged or too old: its protocol is not 1001");
  readPickle(cursor);
  const types = new Map<string, StoredType>();
  const root = readPickle(cursor, (id) => {
    const { key, dtype } = storageReference(file, id);
    types.set(key, dtype);
  });
  const keys = sequenceItems(readPickle(cursor));
  if (!keys) throw file.error("is damaged: it has no list of storages");
  const storages = new Map<string, Storage>();
  for (const key of keys) {
    const dtype = typeof key === "string" ? types.get(key) : undefined;
    if (typeof key !== "string" || !dtype) throw file.error("is damaged: a storage belongs to no tensor");
    const byteLength = cursor.u64() * ELEMENT_SIZE[dtype];
    storages.set(key, fileRegion(file, cursor.skip(byteLength), byteLength));
  }
  return stridedSource(
    file,
    "pytorch",
    tensorsOf(file, root, (key) => storages.get(key)),
  );
}

/** Keys under which training scripts put the state_dict beside other things, in the order in which they are tried. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "net", "params"];

/** Put before every name by wrappers of modules: DataParallel, torch.compile. */
const PREFIXES = ["module.", "_orig_mod."];

function tensorsOf(file: InputFile, root: PickleValue, storageOf: StorageLookup): StridedTensor[] {
  const tensors = [...stateDict(file, root)].flatMap(([name, value]) => {
    const call = tensorCall(value);
    return call ? [rebuild(file, name, call, storageOf)] : [];
  });
  return PREFIXES.reduce(withoutPrefix, tensors);
}

function withoutPrefix(tensors: StridedTensor[], prefix: string): StridedTensor[] {
  if (!tensors.every((tensor) => tensor.name.startsWith(prefix))) return tensors;
  return tensors.map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
}

/** The innermost dictionary that holds tensors. */
function stateDict(file: InputFile, root: PickleValue): ReadonlyMap<string, PickleValue> {
  let here = dictionary(root);
  if (!here) throw file.error(`holds a ${kindOf(root)}, not a state_dict`);
  for (let depth = 0; depth < 4; depth++) {
    if ([...here.values()].some(tensorCall)) return here;
    const inner: ReadonlyMap<string, PickleValue> | undefined = WRAPPERS.map((key) => dictionary(here?.get(key))).find(
      (candidate) => candidate !== undefined,
    );
    if (!inner) break;
    here = inner;
  }
  const keys = [...here.keys()].slice(0, 5).map((key) => JSON.stringify(key.slice(0, 40)));
  throw file.error(`holds no tensors${keys.length > 0 ? `; its keys are ${keys.join(", ")}` : ""}`);
}

/** What makes a parameter of a tensor, its first argument; the class itself before torch 0.4. */
const PARAMETERS = [
  "torch._utils._rebuild_parameter",
  "torch._utils._rebuild_parameter_with_state",
  "torch.nn.parameter.Parameter",
];
const REBUILDS = ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"].map((name) => `torch._utils.${name}`);

/** The call that rebuilds a tensor, unwrapped from that which makes a parameter of it. */
function tensorCall(value: PickleValue | undefined): PickleCall | undefined {
  const inner = isCallOf(value, ...PARAMETERS) ? value.arguments[0] : value;
  return isCallOf(inner, ...REBUILDS) ? inner : undefined;
}

/** `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`; v3 has the element type as seventh. */
function rebuild(file: InputFile, name: string, call: PickleCall, storageOf: StorageLookup): StridedTensor {
  const [storageValue, offset, shapeValue, stridesValue] = call.arguments;
  const shape = integers(shapeValue);
  const strides = integers(stridesValue);
  if (kindOf(storageValue) !== "persistent" || typeof offset !== "number" || !shape || !strides) {
    throw file.error(`is damaged: tensor ${JSON.stringify(name.slice(0, 100))} is not described as torch does`);
  }
  const reference = storageReference(file, (storageValue as PicklePersistent).id);
  const storage = storageOf(reference.key);
  if (!storage) throw file.error(`is damaged: it has no storage ${JSON.stringify(reference.key.slice(0, 40))}`);
  const dtype = call.callee.name === "_rebuild_tensor_v3" ? dtypeOf(file, call.arguments[6]) : reference.dtype;
  return stridedTensor(file, name, dtype, shape, storage, offset * ELEMENT_SIZE[dtype], strides);
}

/** `("storage", torch.FloatStorage, "0", "cpu", count)`, in old files with a sixth: a view of another storage. */
function storageReference(file: InputFile, id: PickleValue): { readonly key: string; readonly dtype: StoredType } {
  const [word, type, key, , , view = null] = sequenceItems(id) ?? [];
  const dtype = isGlobal(type) ? DTYPE_OF_STORAGE[type.name] : undefined;
  if (word !== "storage" || !dtype || typeof key !== "string" || view !== null) {
    throw file.error("is damaged: a storage is not described as torch does");
  }
  return { key, dtype };
}

/** `torch.float32` */
function dtypeOf(file: InputFile, value: PickleValue | undefined): StoredType {
  const name = isGlobal(value) && value.module === "torch" ? value.name : "";
  if (!Object.hasOwn(ELEMENT_SIZE, name))
    throw file.error(`is damaged or too new: it has tensors of ${name || "no type"}`);
  return name as StoredType;
}
