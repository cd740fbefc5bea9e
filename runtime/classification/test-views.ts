/** By which views of an image a classifier is asked: the paper's three ways of testing. */
import type { Model } from "../../compiler/model.js";
import type { ImageInput } from "../images/network-input.js";
import type { View } from "../images/views.js";
import { SessionError } from "../onnx/session-error.js";

/** How images are shown to a classifier. */
export interface ViewOptions {
  /** 1: the middle. 10: four corners, the middle, and their mirrors (AlexNet's; the paper's tables 2 to 4). Default 1. */
  readonly crops?: 1 | 10;
  /**
   * Shorter sides at which the whole image and its mirror go through the network, in place of crops: the paper's
   * multi-scale testing has 224, 256, 384, 480, 640. The network's height and width must be open.
   */
  readonly scales?: readonly number[];
}

/** What the choice depends on. */
export interface Shown {
  /** The model's name. */
  readonly name: string;
  readonly input: ImageInput;
  /** What the model says of itself ({@link Model.views}). */
  readonly views?: Model["views"];
}

/** @throws {SessionError} where options contradict each other or the model can't follow them */
export function testViews({ name, input, views }: Shown, { crops = 1, scales }: ViewOptions): readonly View[] {
  if (crops !== 1 && crops !== 10) throw new SessionError(`crops: ${String(crops)} is neither 1 nor 10`);
  if (crops === 1 && scales === undefined) return [{ kind: "center" }];
  if (input.pixels) {
    throw new SessionError(`${name}: preprocesses images itself, the middle of each: no crops and no scales`);
  }
  if (views === "center") {
    throw new SessionError(
      `${name}: subtracts a mean image that was cut with the middle of the image: no crops and no scales; ` +
        "train with subtract_mean behind the crop, and its mean image fits every crop",
    );
  }
  if (scales === undefined) return [{ kind: "ten crops" }];
  if (crops !== 1) throw new SessionError("scales take the whole image: they do not go with crops");
  if (scales.length === 0) throw new SessionError("scales: none given");
  for (const scale of scales) {
    if (!Number.isInteger(scale) || scale < 1)
      throw new SessionError(`scales: ${scale} is not a positive whole number`);
  }
  if (input.size !== undefined) {
    const size = input.size.join("x");
    throw new SessionError(`${name}: its input is fixed to ${size}; for scales compile with --input 3xHxW`);
  }
  return scales.map((shorter) => ({ kind: "whole", shorter }));
}
