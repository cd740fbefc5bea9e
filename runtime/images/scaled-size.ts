/** Size of an image whose shorter side is scaled to a length, in the rounding of those who trained on such images. */
import { roundHalfEven } from "../../compiler/rounding.js";
import type { Size } from "./image.js";

/** Whose rules; `torchvision` are those for classification. */
type Rules = "opencv" | "torch" | "pillow" | "torchvision";

/** The shorter side gets a length, or less where the longer side would exceed another; `like`: whose rules these are. */
export interface ScaleRules {
  readonly shorter: number;
  readonly longest?: number;
  readonly like?: Exclude<Rules, "torchvision">;
}

export interface Scaled {
  readonly size: Size;
  /** From the image to `size`, as boxes are scaled: by the ratio of the sizes, or by what was asked for. */
  readonly scale: readonly [y: number, x: number];
}

/** Height and width of the scaled image: at least one pixel, where the rules would leave none of a long, thin one. */
export function scaleByRules(image: Size, { shorter, longest = Infinity, like }: ScaleRules): Scaled {
  const size = SIZES[like ?? "torchvision"](image, shorter, longest).map((side) => Math.max(1, side));
  const [height, width] = size as [number, number];
  const ratio = [height / image[0], width / image[1]] as const;
  return { size: [height, width], scale: like === "opencv" ? twice(opencvScale(image, shorter, longest)) : ratio };
}

const SIZES: Readonly<Record<Rules, (image: Size, shorter: number, longest: number) => readonly number[]>> = {
  /** `Resize(shorter, max_size=longest)`: the longer side is rounded down. */
  torchvision([height, width], shorter, longest) {
    const [short, long] = [Math.min(height, width), Math.max(height, width)];
    const scaled = Math.trunc((shorter * long) / short);
    const [low, high] = scaled > longest ? [Math.trunc((longest * shorter) / scaled), longest] : [shorter, scaled];
    return height < width ? [low, high] : [high, low];
  },
  /** `GeneralizedRCNNTransform`: the scale is of single precision, and by way of the reciprocal. */
  torch(image, shorter, longest) {
    const times = (length: number, side: number) => Math.fround(length * Math.fround(1 / side));
    const scale = Math.min(times(shorter, Math.min(...image)), times(longest, Math.max(...image)));
    return image.map((side) => Math.floor(side * scale));
  },
  /** py-faster-rcnn's `prep_im_for_blob`, and `cv2.resize` by a factor. */
  opencv(image, shorter, longest) {
    const scale = opencvScale(image, shorter, longest);
    return image.map((side) => roundHalfEven(side * scale));
  },
  /** Detectron2's `ResizeShortestEdge`. */
  pillow(image, shorter, longest) {
    const scale = shorter / Math.min(...image);
    const scaled = image.map((side) => (side === Math.min(...image) ? shorter : side * scale));
    const fits = Math.min(1, longest / Math.max(...scaled));
    return scaled.map((side) => Math.trunc(side * fits + 0.5));
  },
};

function opencvScale(image: Size, shorter: number, longest: number): number {
  const long = Math.max(...image);
  const scale = shorter / Math.min(...image);
  return roundHalfEven(scale * long) > longest ? longest / long : scale;
}

function twice(value: number): readonly [number, number] {
  return [value, value];
}
