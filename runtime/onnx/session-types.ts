/** Models ready to run, whatever they run on. */
import type { Device } from "../../compiler/device.js";
import type { Profile } from "./profile.js";
import type { TensorSpec } from "./read-model.js";

/** The device that will be used, and the reason in a few words, to be shown: nothing falls back in silence. */
export interface DeviceChoice {
  readonly device: Device;
  readonly reason: string;
}

/** A tensor on the processor: its elements, row-major, and its shape. */
export interface Values {
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** A model ready to run. It holds memory outside of JavaScript until it is closed. */
export interface Session {
  /** For messages: the file's name, or `model`. */
  readonly name: string;
  readonly device: Device;
  /** Why this device, and what does not run on it: for people, to be shown. */
  readonly deviceReason: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * One run. Values are copied to the device and back; fp16 inputs and outputs are converted.
   *
   * @param wanted names of the outputs to compute; default all
   * @throws {SessionError}
   */
  run(feeds: Readonly<Record<string, Values>>, wanted?: readonly string[]): Promise<Record<string, Values>>;
  /** Ends recording and gives what was recorded; only of a session opened with `profile`. */
  profile(): Promise<Profile>;
  /** Frees what the session holds. Runs after it fail; closing again does nothing. */
  close(): Promise<void>;
}
