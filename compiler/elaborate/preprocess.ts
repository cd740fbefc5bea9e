/** `preprocess` declarations to records. */
import type { Preprocess } from "../model.js";
import { channelsOf, counted, forChannels } from "../preprocess.js";
import { channels, choice, integer, number, size, words } from "../words/schema.js";
import { open } from "./declarations.js";
import { fail, type Site } from "./evaluate.js";
import { readSettings, type Setting } from "./settings.js";
import type { DeclarationValue } from "./values.js";

/** The words of a `preprocess` declaration. */
export const PREPROCESS_WORDS = words({
  resize: {
    doc: "Scales the image: its shorter side to a length, or both sides.",
    arguments: {
      shorter: integer("Length of the shorter side in pixels; the longer keeps the proportion.", {
        min: 1,
        optional: true,
      }),
      longest: integer("The longer side at most; the image is scaled less where it would be longer.", {
        min: 1,
        optional: true,
      }),
      like: choice("Whose rules for detectors' images are followed.", ["opencv", "torch", "pillow"], {
        optional: true,
      }),
      to: size("Height and width in pixels, whatever the proportion.", { min: 1, optional: true }),
    },
    needs: ["shorter", "to"],
  },
  pad_to: {
    doc: "Adds zeros on the right and below.",
    arguments: { multiple: integer("Height and width become multiples of this.", { min: 1 }) },
  },
  center_crop: {
    doc: "Cuts the middle out.",
    arguments: { size: size("Height and width of the part in pixels.", { min: 1 }) },
  },
  interpolation: {
    doc: "How values between pixels are found.",
    arguments: { kind: choice("The filter.", ["bilinear", "bicubic", "nearest"]) },
  },
  color: {
    doc: "Order of the channels.",
    arguments: { order: choice("`grey` is one channel.", ["rgb", "bgr", "grey"]) },
  },
  range: {
    doc: "The value that white has.",
    arguments: { white: number("1 or 255, say.", { min: 1e-6 }) },
  },
  subtract: {
    doc: "Subtracted from each channel, in the order of `color`.",
    arguments: { mean: channels("A number, or one for each channel.") },
  },
  divide: {
    doc: "Each channel is divided by it after the subtraction.",
    arguments: { std: channels("A number, or one for each channel.", { min: 1e-12 }) },
  },
});

/** The record of a `preprocess` declaration. Undefined after an error. */
export function readPreprocess(value: DeclarationValue, site: Site): Preprocess | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const settings = readSettings(opened, PREPROCESS_WORDS, site);
  const { shorter, longest, like, to } = settings.last("resize")?.values ?? {};
  const byShorter = shorter === undefined ? undefined : { shorter, ...(longest && { longest }), ...(like && { like }) };
  const resize = to ? { to } : byShorter;
  const crop = settings.last("center_crop")?.values.size;
  const padTo = settings.last("pad_to")?.values.multiple;
  const color = settings.last("color")?.values.order ?? "rgb";
  const perChannel = (
    word: string,
    setting: Setting | undefined,
    numbers: readonly number[],
  ): readonly number[] | undefined => {
    const fit = forChannels(numbers, channelsOf({ color }));
    if (!fit && setting) {
      const message = `\`${word}\` has ${counted(numbers)}, \`color ${color}\` takes ${channelsOf({ color })}`;
      fail(site, "channel-mismatch", setting.span, message);
    }
    return fit;
  };
  const [subtract, divide] = [settings.last("subtract"), settings.last("divide")];
  const mean = perChannel("subtract", subtract, subtract?.values.mean ?? [0, 0, 0]);
  const std = perChannel("divide", divide, divide?.values.std ?? [1, 1, 1]);
  if (!mean || !std) return undefined;
  return {
    name: value.alias ?? value.declaration.name.text,
    ...(resize ? { resize } : {}),
    ...(crop ? { centerCrop: crop } : {}),
    interpolation: settings.last("interpolation")?.values.kind ?? "bilinear",
    color,
    range: settings.last("range")?.values.white ?? 1,
    mean,
    std,
    ...(padTo && { padTo }),
  };
}
