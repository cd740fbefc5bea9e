/** Images of one colour each, for the detector that finds an image in itself. */
import { fromVersion1 } from "../../compiler/metadata-version-1.js";
import sharp from "sharp";
import { METADATA_KEYS, modelMetadata } from "../../compiler/metadata.js";
import { wholeImage } from "./detector.js";
import { plainRecord } from "./preprocess.js";

export const SMALL_DECLARED = plainRecord({
  name: "small",
  resize: { shorter: 24, longest: 60, like: "torch" },
  padTo: 16,
});

export const SMALL_PREPROCESS = fromVersion1(SMALL_DECLARED);

export function detectorMetadata(
  labels: readonly string[] | undefined = ["red", "green", "blue"],
  boxes: "inclusive" | "exclusive" = "exclusive",
  preprocess = SMALL_PREPROCESS,
): Record<string, string> {
  return {
    ...modelMetadata(preprocess, labels, "Whole"),
    [METADATA_KEYS.task]: "detection",
    [METADATA_KEYS.boxes]: boxes,
  };
}

export function solidPng(width: number, height: number, [r, g, b]: readonly [number, number, number]): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
}

/** Files for a folder: the model and three images of its three classes, the third of which it is less sure of. */
export async function wholeFiles(): Promise<Record<string, Uint8Array>> {
  return {
    "net.onnx": wholeImage({ metadata: detectorMetadata() }),
    "rose.png": await solidPng(80, 60, [255, 0, 0]),
    "leaf.png": await solidPng(60, 90, [0, 204, 0]),
    "sky.png": await solidPng(90, 40, [0, 0, 102]),
  };
}
