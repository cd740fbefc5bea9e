import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import type { Values } from "../../../compiler/words/schema.js";
import type { Size } from "../image.js";
import { scaleByRules } from "../scaled-size.js";
import { frameSize, resizeFrame, type Frame } from "./frame.js";
import { BYTES, geometry } from "./transform.js";

type ResizeShorter = Values<typeof TRANSFORM_WORDS.resize_shorter.arguments>;

/** Scaled so that the shorter side has a length; the longer side in proportion. */
export function shorterTo(frame: Frame, values: ResizeShorter): Frame {
  const before = frameSize(frame);
  const { size, scale } = scaledTo(before, values);
  const { like, interpolation } = values;
  const sampledBy = like === "torch" ? "ratio" : scale[0];
  return resizeFrame(frame, size, isSampled(values) ? { sampledBy } : interpolation);
}

/** What `resize_shorter` makes of a size, and the scale by which boxes follow. */
export function scaledTo(before: Size, { length, longest, like }: ResizeShorter): ReturnType<typeof scaleByRules> {
  return scaleByRules(before, { shorter: length, ...(longest !== undefined && { longest }), ...(like && { like }) });
}

export function isSampled({ like }: { readonly like?: string | undefined }): boolean {
  return like === "torch" || like === "opencv";
}

/** Whether sampling between the pixels goes with the interpolation that is asked for. */
export function conflict(values: Pick<ResizeShorter, "like" | "interpolation">): string | undefined {
  return isSampled(values) && values.interpolation !== "bilinear"
    ? `like ${values.like!} is bilinear, not ${values.interpolation}`
    : undefined;
}

export const resizeShorter = geometry(TRANSFORM_WORDS.resize_shorter, {
  takes: BYTES,
  gives: (values) => (isSampled(values) ? "colour" : "bytes"),
  conflict,
  size: (values, before) => before && scaledTo(before, values).size,
  apply: shorterTo,
});

export const resize = geometry(TRANSFORM_WORDS.resize, {
  takes: BYTES,
  gives: (values) => (isSampled(values) ? "colour" : "bytes"),
  conflict,
  size: ({ size }) => size,
  apply: (frame, values) =>
    resizeFrame(frame, values.size, isSampled(values) ? { sampledBy: "ratio" } : values.interpolation),
});
