/** Where an image meets a network: the network's input, and whether it takes what a preprocessing gives. */
import type { Preprocess } from "../../compiler/model.js";
import { channelProblem } from "../../compiler/preprocess.js";
import { SessionError } from "../onnx/session-error.js";
import type { TensorSpec } from "../onnx/read-model.js";
import type { Size } from "./image.js";
import { MOST_INPUT_PIXELS, tooManyValues } from "./limits.js";

/** The model's input: its name, and the batch, channels, height and width where they are fixed. */
export interface ImageInput {
  readonly name: string;
  readonly batch: number | undefined;
  readonly channels: number | undefined;
  readonly size: Size | undefined;
  /** It takes images as they are decoded, uint8 [N, H, W, channels], and preprocesses them itself. */
  readonly pixels: boolean;
}

/**
 * @param model its name, for messages
 * @throws {SessionError} where images can't be given to it, or it asks for more than a machine should hold
 */
export function imageInput(model: string, { name, type, shape }: TensorSpec): ImageInput {
  const pixels = type === "uint8";
  const [batch, ...others] = shape;
  const [channels, height, width] = pixels ? [others[2], others[0], others[1]] : others;
  if (shape.length !== 4 || (!pixels && type !== "float32" && type !== "float16")) {
    const asked = `${type}[${shape.join(", ")}]`;
    throw new SessionError(
      `${model}: input ${name} is ${asked}, not images: float[N, 3, H, W], or [N, 1, H, W] of grey`,
    );
  }
  if (typeof channels === "number" && channels !== 1 && channels !== 3) {
    throw new SessionError(`${model}: input ${name} has ${channels} channels; an image has 3, or 1 in grey`);
  }
  const input: ImageInput = {
    name,
    batch: numberOrNone(batch),
    channels: numberOrNone(channels),
    pixels,
    size: typeof height === "number" && typeof width === "number" ? [height, width] : undefined,
  };
  checkSize(model, input);
  return input;
}

function checkSize(model: string, { name, batch = 1, channels = 3, size = [1, 1] }: ImageInput): void {
  const [height, width] = size;
  if (batch < 1 || height < 1 || width < 1) {
    throw new SessionError(
      `${model}: input ${name} is [${[batch, channels, ...size].join(", ")}], which holds no image`,
    );
  }
  if (height * width > MOST_INPUT_PIXELS) {
    const most = `the ${MOST_INPUT_PIXELS} pixels that a network may be given`;
    throw new SessionError(`${model}: input ${name} of ${size.join("x")} is more than ${most}`);
  }
  const problem = tooManyValues([batch, channels, ...size]);
  if (problem !== undefined) throw new SessionError(`${model}: input ${name}: ${problem}`);
}

/** @throws {SessionError} where the preprocessing gives other channels than the network takes */
export function checkChannels(model: string, { channels }: Pick<ImageInput, "channels">, preprocess: Preprocess): void {
  const problem = channelProblem(channels, preprocess);
  if (problem !== undefined) throw new SessionError(`${model}: ${problem}`);
}

export function numberOrNone(dim: number | string | undefined): number | undefined {
  return typeof dim === "number" ? dim : undefined;
}
