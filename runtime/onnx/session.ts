/** A model made ready to run on a device. */
import { access, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { createSession } from "./create.js";
import { chooseDevice, type DeviceRequest } from "./device.js";
import { readModelInfo } from "./model-info.js";
import { loadRuntime } from "./onnxruntime.js";
import { openProfile } from "./profile.js";
import { readable } from "./readable.js";
import { SessionError } from "./session-error.js";
import type { Session } from "./session-types.js";
import { wrapSession } from "./wrap-session.js";

export { SessionError } from "./session-error.js";
export type { Session, Values } from "./session-types.js";

/** Where and how a model runs. */
export interface SessionOptions {
  /** Default `auto`. */
  readonly device?: DeviceRequest;
  /** Threads that one operator may use on the processor. Default: ONNX Runtime's choice, one a core. */
  readonly threads?: number;
  /** Records the time of every kernel; {@link Session.profile} gives it. */
  readonly profile?: boolean;
  /**
   * On the processor, whether its threads leave the cores to others as soon as a run ends, for a beginning of the next one that
   * takes some microseconds more. Default: of classifiers and detectors, which read images between their runs.
   */
  readonly rests?: boolean;
}

/**
 * Opens an ONNX model, from its file or its bytes.
 *
 * A device asked for by name is used or the call fails. Operators that a GPU lacks run on the processor, with copies
 * between; {@link Session.deviceReason} says so.
 *
 * @throws {SessionError} for a device that can't be used and a file that is not a model that can run
 */
export async function openSession(model: string | Uint8Array, options: SessionOptions = {}): Promise<Session> {
  if (options.threads !== undefined && !(Number.isInteger(options.threads) && options.threads > 0)) {
    throw new SessionError(`threads: ${options.threads} is not a positive whole number`);
  }
  const name = typeof model === "string" ? path.basename(model) : "model";
  if (typeof model === "string") await checkFile(model);
  const choice = await chooseDevice(options.device ?? "auto");
  const runtime = await loadRuntime();
  const profile = options.profile ? await openProfile() : undefined;
  try {
    // Weights stand beside the model itself, not beside a link to it.
    const real = typeof model === "string" ? await realpath(model) : model;
    const { session, fallsBack } = await createSession(runtime, real, choice.device, {
      ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      ...(options.rests && choice.device === "cpu" && { extra: RESTING }),
      ...(profile && { enableProfiling: true, profileFilePrefix: profile.prefix }),
    });
    const deviceReason = fallsBack
      ? `${choice.reason}; operators that ${choice.device} lacks run on the processor`
      : choice.reason;
    return wrapSession(runtime, session, { name, device: choice.device, deviceReason, profile });
  } catch (error) {
    await profile?.discard();
    throw error instanceof SessionError ? error : await explain(error, model, name);
  }
}

/** ONNX Runtime's threads else go on looking for work for milliseconds. */
const RESTING = { session: { force_spinning_stop: "1" } };

async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new SessionError(`${file}: no such file`);
  if (found.isDirectory()) throw new SessionError(`${file}: a folder, not an ONNX file`);
  await access(file).catch(() => {
    throw new SessionError(`${file}: can't be read`);
  });
}

/** Says of a model that ONNX Runtime refused what is the matter: our own reader tells a cut file from a foreign one. */
async function explain(error: unknown, model: string | Uint8Array, name: string): Promise<SessionError> {
  try {
    const { externalData } = readModelInfo(model);
    for (const file of externalData) {
      if (typeof model !== "string")
        return new SessionError(`${name}: its weights are in ${file}: open it by its path`);
      // Weights stand beside the model itself, not beside a link to it.
      const folder = path.dirname(await realpath(model));
      const found = await stat(path.join(folder, file)).catch(() => undefined);
      if (!found) return new SessionError(`${name}: its weights are in ${file}, which is not beside it`);
    }
  } catch (problem) {
    if (problem instanceof SessionError) return problem;
  }
  return new SessionError(`${name}: ${readable(error)}`, { cause: error });
}
