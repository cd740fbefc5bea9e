/** What a network is given of images: one at a time, as when it runs. */
import type { Model, Preprocess } from "../../compiler/model.js";
import { detectorInput, padToOf, stack } from "../images/detector-input.js";
import type { Image, Size } from "../images/image.js";
import { prepareViews } from "../images/views.js";
import type { Values } from "../onnx/session.js";

export type Feeds = Readonly<Record<string, Values>>;

/** @throws {DataError} where the preprocessing can't be followed; what is returned throws an ImageError */
export function feedsFrom(model: Model, preprocess: Preprocess): (image: Image) => Feeds {
  const [input] = model.graph.inputs;
  const { name, value } = input!;
  const [height, width] = value.type.shape.slice(2);
  const size: Size | undefined = typeof height === "number" && typeof width === "number" ? [height, width] : undefined;
  if (model.detection) {
    return (image) => {
      const padTo = padToOf(preprocess);
      const batch = stack([detectorInput(image, preprocess)], padTo, size);
      return { [name]: batch.image, image_info: batch.info };
    };
  }
  const prepare = prepareViews(preprocess, size, { kind: "center" });
  return (image) => {
    const [planes] = prepare(image);
    return { [name]: { data: planes!.data, shape: [1, planes!.channels, planes!.height, planes!.width] } };
  };
}
