/** What a `preprocess` declaration says, as transforms. */
import type { Preprocess } from "../../compiler/model.js";
import type { TransformSettings } from "./transforms/index.js";

export function declaredTransforms(preprocess: Preprocess): readonly TransformSettings[] {
  const { resize, centerCrop, interpolation, color, range, mean, std, padTo } = preprocess;
  return [
    ...(resize === undefined
      ? []
      : "shorter" in resize
        ? [
            {
              kind: "resize_shorter",
              length: resize.shorter,
              longest: resize.longest,
              like: resize.like,
              interpolation,
            },
          ]
        : [{ kind: "resize", size: resize.to, interpolation }]),
    ...(centerCrop ? [{ kind: "center_crop", size: centerCrop }] : []),
    { kind: "normalize", mean, std, range, color },
    ...(padTo === undefined ? [] : [{ kind: "pad_to", multiple: padTo }]),
  ];
}
