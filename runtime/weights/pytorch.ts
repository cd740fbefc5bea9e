/**
 * What torch.save writes (`.pth`, `.pt`): a zip of one pickle and one entry a storage, or before torch 1.6 a row of
 * pickles followed by the storages; and what pickle itself writes of dictionaries of arrays. See torch/serialization.py.
 */
import { openArchive, type ArchiveEntry } from "./archive.js";
import { foreignArchive } from "./foreign-archive.js";
import { ByteCursor, type InputFile } from "./input-file.js";
import { CallNotes, pickledSource } from "./pickled.js";
import { readPickle } from "./pickle/read.js";
import { sequenceItems } from "./pickle/values.js";
import type { TensorSource } from "./source.js";
import { fileRegion, type Storage } from "./strided.js";
import { storageReference, type StorageType } from "./torch-tensor.js";

/** `.pth` as a zip. Throws a WeightsError. */
export async function openPytorchArchive(file: InputFile): Promise<TensorSource> {
  const entries = await openArchive(file);
  const foreign = foreignArchive([...entries.keys()]);
  if (foreign !== undefined) throw file.error(foreign);
  const pickle = [...entries.values()].find((entry) => /^([^/]+\/)?data\.pkl$/.test(entry.name)) as ArchiveEntry;
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder && Buffer.from(byteOrder.storage.read(0, Math.min(byteOrder.byteLength, 8))).toString() === "big") {
    throw file.error("was written on a big-endian machine, which is not read");
  }
  pickle.storage.read(0, 0); // checks the checksum before the pickle is believed
  const calls = new CallNotes();
  const root = calls.read(new ByteCursor(file, pickle.start, pickle.start + pickle.byteLength));
  return pickledSource(file, "pytorch", root, calls, (key) => entries.get(`${folder}data/${key}`)?.storage);
}

/** `.pth` of before torch 1.6: magic number, protocol, system, object, storage keys, storages. Throws a WeightsError. */
export function openPytorchLegacy(file: InputFile): TensorSource {
  const cursor = new ByteCursor(file);
  readPickle(cursor);
  if (readPickle(cursor) !== 1001) throw file.error("is damaged or too old: its protocol is not 1001");
  readPickle(cursor);
  const types = new Map<string, StorageType>();
  const calls = new CallNotes();
  const root = calls.read(cursor, {
    persistent(id) {
      // A class whose source was kept beside it.
      if (sequenceItems(id)?.[0] === "module") return;
      const { key, type } = storageReference(file, id);
      types.set(key, type);
    },
  });
  const keys = sequenceItems(readPickle(cursor));
  if (!keys) throw file.error("is damaged: it has no list of storages");
  const storages = new Map<string, Storage>();
  for (const key of keys) {
    const type = typeof key === "string" ? types.get(key) : undefined;
    if (typeof key !== "string" || !type) throw file.error("is damaged: a storage belongs to no tensor");
    const byteLength = cursor.u64() * type.size;
    storages.set(key, fileRegion(file, cursor.skip(byteLength), byteLength));
  }
  return pickledSource(file, "pytorch", root, calls, (key) => storages.get(key));
}

/** A pickle of numpy arrays: Detectron2's, and Detectron's. Throws a WeightsError. */
export function openNumpyPickle(file: InputFile): TensorSource {
  const calls = new CallNotes();
  const root = calls.read(new ByteCursor(file));
  return pickledSource(file, "detectron2", root, calls);
}
