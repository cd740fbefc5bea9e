/** Classifiers in Node: models of files or bytes, on Node's ONNX Runtime. */
import path from "node:path";
import { preparerFor } from "../data/preparer.js";
import type { Preparer } from "../images/preparing.js";
import { readModelInfo } from "../onnx/model-info.js";
import { orClosed } from "../onnx/or-closed.js";
import { openSession } from "../onnx/session.js";
import { classifierOn, classifierPreprocess, type Classifier, type ClassifierOptions } from "./classify.js";

export * from "./classify.js";

/**
 * Opens a model for classification. A `.onnx` that resnetc compiled is enough; of others, the preprocessing has to be
 * given.
 *
 * @throws {SessionError} one line: no model, no preprocessing known, not a classification model
 */
export async function openClassifier(model: string | Uint8Array, options: ClassifierOptions = {}): Promise<Classifier> {
  return (await openWithPreparer(model, options)).classifier;
}

/** A classifier and what makes its images ready, which it closes: for who gives the network its images himself. */
export async function openWithPreparer(
  model: string | Uint8Array,
  options: ClassifierOptions,
): Promise<{ readonly classifier: Classifier; readonly preparer: Preparer }> {
  const info = readModelInfo(model);
  // Before a session is opened, which takes time.
  classifierPreprocess(info, typeof model === "string" ? path.basename(model) : "model", options);
  const session = await openSession(model, { rests: true, ...options });
  return orClosed(session, () => {
    const preparer = preparerFor(session, options);
    return { classifier: classifierOn({ session, info, preparer }, options), preparer };
  });
}
