/** Classifiers and detectors in a browser. */
import {
  classifierOn,
  classifierPreprocess,
  type Classifier,
  type ClassifierOptions,
} from "../classification/classify.js";
import { detectorOn, type Detector, type DetectorOptions } from "../detection/detect.js";
import { preparerHere } from "../images/preparing.js";
import { orClosed } from "../onnx/or-closed.js";
import { bytesOf } from "../onnx/protobuf-cursor.js";
import { modelInfo } from "../onnx/read-model.js";
import { SessionError } from "../onnx/session-error.js";
import { fetched } from "./fetched.js";
import { readImage } from "./images.js";
import type { WebOptions } from "./options.js";
import { openWebSession } from "./ort.js";

/** A model: its bytes, or the address of a `.onnx` file, which is fetched. */
export type WebModel = Uint8Array | ArrayBuffer | Blob | URL | string;

/** How a model is opened for classification in a browser. */
export interface WebClassifierOptions
  extends WebOptions, Pick<ClassifierOptions, "preprocess" | "labels" | "output" | "scores"> {}

/** How a model is opened for detection in a browser. */
export interface WebDetectorOptions extends WebOptions, Pick<DetectorOptions, "preprocess" | "labels" | "boxes"> {}

/**
 * Opens a model for classification: what `resnetc/runtime` gives in Node. A text among the images is an address.
 *
 * @throws {SessionError} one line: no model, no preprocessing known, not a classification model, no such device
 */
export async function openClassifier(model: WebModel, options: WebClassifierOptions = {}): Promise<Classifier> {
  const bytes = await modelBytes(model);
  const info = modelInfo(bytesOf(bytes), "model");
  // Before ONNX Runtime is fetched.
  classifierPreprocess(info, "model", options);
  const session = await openWebSession(bytes, options);
  return orClosed(session, () => classifierOn({ session, info, preparer: preparerHere(readImage) }, options));
}

/**
 * Opens a model for detection: what `resnetc/runtime` gives in Node. A text among the images is an address.
 *
 * @throws {SessionError} one line: no model, not a detector, no preprocessing known or one that a detector can't have
 */
export async function openDetector(model: WebModel, options: WebDetectorOptions = {}): Promise<Detector> {
  const bytes = await modelBytes(model);
  const info = modelInfo(bytesOf(bytes), "model");
  const session = await openWebSession(bytes, options);
  return orClosed(session, () => detectorOn({ session, info, preparer: preparerHere(readImage) }, options));
}

async function modelBytes(model: WebModel): Promise<Uint8Array> {
  if (model instanceof Uint8Array) return model;
  if (model instanceof ArrayBuffer) return new Uint8Array(model);
  if (model instanceof Blob) return new Uint8Array(await model.arrayBuffer());
  return new Uint8Array(await (await fetched(String(model), SessionError)).arrayBuffer());
}
