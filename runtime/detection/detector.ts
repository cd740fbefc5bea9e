/** Detectors in Node: models of files or bytes, on Node's ONNX Runtime. */
import { preparerFor } from "../data/preparer.js";
import { readModelInfo } from "../onnx/model-info.js";
import { orClosed } from "../onnx/or-closed.js";
import { openSession } from "../onnx/session.js";
import { detectorOn, type Detector, type DetectorOptions } from "./detect.js";

export * from "./detect.js";

/**
 * Opens a model for detection. A `.onnx` that resnetc compiled is enough; others need the same inputs and outputs, and
 * their preprocessing to be given.
 *
 * @throws {SessionError} one line: no model, not a detector, no preprocessing known or one that a detector can't have
 */
export async function openDetector(model: string | Uint8Array, options: DetectorOptions = {}): Promise<Detector> {
  const info = readModelInfo(model);
  const session = await openSession(model, { rests: true, ...options });
  return orClosed(session, () => detectorOn({ session, info, preparer: preparerFor(session, options) }, options));
}
