/**
 * A model on disk: one `.onnx` file, or a small one with its weights beside it. The two are replaced as one: weights get
 * a name that says what is in them, `net.onnx.3f9c21ab77e0.data`, so that the model that is there keeps its own until
 * one rename puts the new graph in its place. What no graph in the folder refers to after that is removed.
 */
import crypto from "node:crypto";
import { statSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import type { EmittedModel } from "../../compiler/emit/onnx.js";
import { prepareFile, writeWhole, type Chunks, type PreparedFile } from "../files.js";
import { readModelInfo } from "./model-info.js";
import { isBeingWritten, registerUnfinished, releaseUnfinished } from "../temporary-files.js";

/** The user gave the name. */
const NAMED = { followLinks: true } as const;

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes a model, whole or not at all; the weights, where they are outside of it, beside it. At every moment the target
 * is the model that was there, with its weights, or the new one with its own.
 *
 * @param emit the model with its weights in a file of this name, if they are outside; it is called again when the name
 * is known
 * @returns the files, the model first
 * @throws {FileError} or what making the model threw
 */
export async function writeModel(
  target: string,
  emit: (externalName: string) => EmittedModel,
): Promise<readonly WrittenFile[]> {
  const before = dataOf(target);
  const draft = emit(`${path.basename(target)}.data`);
  if (draft.external === undefined) {
    await writeWhole(target, draft.chunks, NAMED);
    await removeUnused(target, before);
    return [{ path: target, bytes: draft.byteLength }];
  }
  const hash = crypto.createHash("sha256");
  const data = await prepareFile(target, hashed(draft.external.chunks, hash), NAMED);
  const name = dataName(data.path, hash.digest("hex"));
  const model = emit(name);
  let graph: PreparedFile;
  try {
    graph = await prepareFile(target, model.chunks, NAMED);
  } catch (cause) {
    await data.discard();
    throw cause;
  }
  const place = path.join(path.dirname(data.path), name);
  await commitBoth(data, graph, place);
  await removeUnused(graph.path, before);
  return [
    { path: target, bytes: model.byteLength },
    { path: place, bytes: draft.external.byteLength },
  ];
}

/** The graph's name is changed last: until then nothing refers to the new weights. */
async function commitBoth(data: PreparedFile, graph: PreparedFile, place: string): Promise<void> {
  // The same weights may be in use there.
  const wasThere = await exists(place);
  if (!wasThere) registerUnfinished(place);
  try {
    await data.commit(place);
    await graph.commit();
  } catch (cause) {
    await graph.discard();
    if (!wasThere) await fs.rm(place, { force: true });
    throw cause;
  } finally {
    releaseUnfinished(place);
  }
}

async function* hashed(chunks: Chunks, hash: crypto.Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Digits of the hash in a name. */
const DIGITS = 12;

function dataName(target: string, hash: string): string {
  return `${path.basename(target)}.${hash.slice(0, DIGITS)}.data`;
}

/**
 * Removes weights of the target that no model in the folder refers to: those of the model that was replaced, and what
 * killed runs left. Not while another process is writing the target: it may be about to refer to them. That anything
 * here fails does no harm.
 *
 * @param before what the model that was replaced referred to: files under other names than ours are removed only then
 */
async function removeUnused(target: string, before: ReadonlySet<string>): Promise<void> {
  const [folder, base] = [path.dirname(target), path.basename(target)];
  const candidates = [];
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const isOurs = name.startsWith(base) && /^\.[0-9a-f]{12}\.data$/.test(name.slice(base.length));
    if (!isOurs && !(name === `${base}.data` && before.has(name))) continue;
    const file = path.join(folder, name);
    const found = await fs.lstat(file).catch(() => undefined);
    if (found?.isFile()) candidates.push({ name, file, found });
  }
  if (candidates.length === 0 || (await isBeingWritten(target))) return;
  const used = await dataInUse(folder, base);
  if (used === undefined) return;
  for (const { name, file, found } of candidates) {
    if (used.has(name)) continue;
    const now = await fs.lstat(file).catch(() => undefined);
    // Written anew since it was looked at: another process means to use it.
    if (now?.ino !== found.ino || now.ctimeMs !== found.ctimeMs) continue;
    await fs.rm(file, { force: true }).catch(() => undefined);
  }
}

/** Files that the models in a folder refer to; undefined where a model can't be read. */
async function dataInUse(folder: string, target: string): Promise<ReadonlySet<string> | undefined> {
  const used = new Set<string>();
  for (const name of await fs.readdir(folder)) {
    if (name !== target && !name.endsWith(".onnx")) continue;
    try {
      for (const location of readModelInfo(path.join(folder, name)).externalData) used.add(path.normalize(location));
    } catch {
      return undefined;
    }
  }
  return used;
}

/** Files that the model that is there refers to, if it is one. */
function dataOf(target: string): ReadonlySet<string> {
  try {
    return statSync(target).isFile() ? new Set(readModelInfo(target).externalData) : new Set();
  } catch {
    return new Set();
  }
}

async function exists(file: string): Promise<boolean> {
  return (await fs.lstat(file).catch(() => undefined)) !== undefined;
}
