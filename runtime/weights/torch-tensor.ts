/**
 * Tensors as torch pickles them: calls of `_rebuild_tensor_v2(storage, offset, shape, strides, ...)` whose storage is a
 * persistent id. See torch/_utils.py and torch/_tensor.py of PyTorch.
 */
import { ELEMENT_SIZE } from "./elements.js";
import type { InputFile } from "./input-file.js";
import {
  dictionary,
  globalName,
  integers,
  isCall,
  isGlobal,
  kindOf,
  sequenceItems,
  type PickleCall,
  type PicklePersistent,
  type PickleValue,
} from "./pickle/values.js";
import { plainName, shownName } from "./shown.js";
import type { StoredType } from "./source.js";
import { stridedTensor, type Storage, type StridedTensor } from "./strided.js";

/** The bytes that a storage key names. */
export type StorageLookup = (key: string) => Storage | undefined;

/** A tensor, or why it can't be read: `a sparse tensor`. */
export type Rebuilt = StridedTensor | { readonly unread: string };

export interface StorageType {
  /** Bytes of an element. */
  readonly size: number;
  /** Absent where tensors of it are not read. */
  readonly dtype?: StoredType;
}

const readable = (dtype: StoredType): StorageType => ({ dtype, size: ELEMENT_SIZE[dtype] });

const STORAGES: Readonly<Record<string, StorageType>> = {
  DoubleStorage: readable("float64"),
  FloatStorage: readable("float32"),
  HalfStorage: readable("float16"),
  BFloat16Storage: readable("bfloat16"),
  LongStorage: readable("int64"),
  IntStorage: readable("int32"),
  ShortStorage: readable("int16"),
  CharStorage: readable("int8"),
  ByteStorage: readable("uint8"),
  BoolStorage: readable("bool"),
  UntypedStorage: readable("uint8"),
  ComplexFloatStorage: { size: 8 },
  ComplexDoubleStorage: { size: 16 },
  QInt8Storage: { size: 1 },
  QUInt8Storage: { size: 1 },
  QInt32Storage: { size: 4 },
  QUInt4x2Storage: { size: 1 },
  QUInt2x4Storage: { size: 1 },
};

/** What makes something else of a tensor, and where the tensor is among its arguments. */
const WRAPPERS: Readonly<Record<string, number>> = {
  "torch._utils._rebuild_parameter": 0,
  "torch._utils._rebuild_parameter_with_state": 0,
  // The class itself, before torch 0.4.
  "torch.nn.parameter.Parameter": 0,
  "torch.nn.parameter.Buffer": 0,
  "torch._utils._rebuild_device_tensor_from_numpy": 0,
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": 0,
  "torch._utils._rebuild_xla_tensor": 0,
};
/** `(function, class, arguments, state)` of a tensor of a class of its own: the function makes the plain one. */
const SUBCLASSES = ["_rebuild_from_type_v2", "_rebuild_from_type"].flatMap((name) =>
  ["torch._tensor", "torch.tensor", "torch._utils"].map((module) => `${module}.${name}`),
);
const REBUILDS = ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"].map((name) => `torch._utils.${name}`);

/** Where a call's metadata are, which torch has since 2.0. */
const METADATA: Readonly<Record<string, number>> = { _rebuild_tensor_v2: 6, _rebuild_tensor_v3: 7 };

/** The call that makes a tensor or an array, out of what was made of it. */
export function unwrapped(value: PickleValue | undefined): PickleValue | undefined {
  let inner = value;
  // A parameter of a subclass of a tensor is as deep as it goes; a hostile file may nest a million.
  for (let depth = 0; depth < 4 && isCall(inner); depth++) {
    const name = globalName(inner.callee);
    if (SUBCLASSES.includes(name)) {
      const [callee, , values] = inner.arguments;
      if (!isGlobal(callee)) return undefined;
      inner = { kind: "call", callee, arguments: sequenceItems(values) ?? [], items: [], entries: [] };
    } else if (Object.hasOwn(WRAPPERS, name)) inner = inner.arguments[WRAPPERS[name]!];
    else break;
  }
  return inner;
}

/** The tensor that an {@link unwrapped} call describes; undefined where it describes none. Throws a WeightsError. */
export function rebuilt(
  file: InputFile,
  name: string,
  call: PickleValue | undefined,
  storageOf: StorageLookup,
): Rebuilt | undefined {
  if (!isCall(call)) return undefined;
  const callee = globalName(call.callee);
  if (REBUILDS.includes(callee)) return rebuild(file, name, call, storageOf);
  const kind = /^torch\._utils\._rebuild_(\w+)$/.exec(callee)?.[1];
  return kind === undefined ? undefined : { unread: UNREAD[kind] ?? `made by _rebuild_${plainName(kind, 40)}` };
}

const UNREAD: Readonly<Record<string, string>> = {
  sparse_tensor: "a sparse tensor",
  sparse_csr_tensor: "a sparse tensor",
  qtensor: "a quantised tensor",
  meta_tensor_no_storage: "a tensor without data (meta)",
  nested_tensor: "a nested tensor",
};

/** `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks, metadata)`; v3 has the type as seventh. */
function rebuild(file: InputFile, name: string, call: PickleCall, storageOf: StorageLookup): Rebuilt {
  const [storageValue, offset, shapeValue, stridesValue] = call.arguments;
  const shape = integers(shapeValue);
  const strides = integers(stridesValue);
  if (kindOf(storageValue) !== "persistent" || typeof offset !== "number" || !shape || !strides) {
    throw file.error(`is damaged: tensor ${shownName(name)} is not described as torch does`);
  }
  const reference = storageReference(file, (storageValue as PicklePersistent).id);
  const dtype = call.callee.name === "_rebuild_tensor_v3" ? dtypeOf(call.arguments[6]) : reference.type.dtype;
  if (dtype === undefined) return { unread: `of ${typeName(call, reference.name)}` };
  const storage = storageOf(reference.key);
  if (!storage) throw file.error(`is damaged: it has no storage ${shownName(reference.key, 40)}`);
  const { negative, unknown } = metadataOf(call);
  if (unknown !== undefined) return { unread: `a tensor with "${unknown}"` };
  const tensor = stridedTensor(file, name, dtype, shape, storage, offset * ELEMENT_SIZE[dtype], strides);
  return negative ? { ...tensor, negative } : tensor;
}

/** `{"neg": True}`: the values are to be turned in sign. `conj` says nothing of real numbers. */
function metadataOf(call: PickleCall): { readonly negative: boolean; readonly unknown?: string } {
  const place = METADATA[call.callee.name];
  const metadata =
    (place === undefined ? undefined : dictionary(call.arguments[place])) ?? new Map<string, PickleValue>();
  const unknown = [...metadata].find(([key, value]) => value !== false && key !== "neg" && key !== "conj")?.[0];
  return {
    negative: metadata.get("neg") === true,
    ...(unknown !== undefined && { unknown: plainName(unknown, 40) }),
  };
}

/** `("storage", torch.FloatStorage, "0", "cpu", count)`, in old files with a sixth: a view of another storage. */
export function storageReference(
  file: InputFile,
  id: PickleValue,
): { readonly key: string; readonly name: string; readonly type: StorageType } {
  const [word, type, key, , , view = null] = sequenceItems(id) ?? [];
  const known = isGlobal(type) && Object.hasOwn(STORAGES, type.name) ? STORAGES[type.name] : undefined;
  if (word !== "storage" || !known || typeof key !== "string" || view !== null) {
    throw file.error("is damaged: a storage is not described as torch does");
  }
  return { key, name: (type as { name: string }).name, type: known };
}

/** `torch.float32` */
function dtypeOf(value: PickleValue | undefined): StoredType | undefined {
  const name = isGlobal(value) && value.module === "torch" ? value.name : "";
  return Object.hasOwn(ELEMENT_SIZE, name) ? (name as StoredType) : undefined;
}

function typeName(call: PickleCall, storage: string): string {
  const type = call.arguments[6];
  return isGlobal(type)
    ? plainName(type.name, 40)
    : plainName(storage, 40)
        .replace(/Storage$/, "")
        .toLowerCase();
}
