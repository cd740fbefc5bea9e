/** Which part of a scaled image goes into the network, in torchvision's rounding. */
import type { Size } from "./image.js";
import { roundHalfEven } from "../../compiler/rounding.js";
import type { Window } from "./resample.js";

/**
 * The cut from the middle. Where the image is smaller than the cut the window begins outside of it, at a negative
 * position: black is to be put there.
 */
export function centerWindow([height, width]: Size, [cutHeight, cutWidth]: Size): Window {
  return {
    left: middle(width, cutWidth),
    top: middle(height, cutHeight),
    width: cutWidth,
    height: cutHeight,
  };
}

/** The four corners and the centre: AlexNet's five, whose mirrors make ten. In torchvision's order. */
export function fiveWindows(image: Size, cut: Size): readonly Window[] {
  const [cutHeight, cutWidth] = cut;
  const right = image[1] - cutWidth;
  const bottom = image[0] - cutHeight;
  const corner = (left: number, top: number): Window => ({ left, top, width: cutWidth, height: cutHeight });
  return [corner(0, 0), corner(right, 0), corner(0, bottom), corner(right, bottom), centerWindow(image, cut)];
}

/** Where a window of the mirrored image lies in the image. */
export function mirrorWindow(window: Window, [, width]: Size): Window {
  return { ...window, left: width - window.left - window.width };
}

function middle(length: number, cut: number): number {
  // torchvision: the margin before the image is rounded down where it has to be widened, to even where it is cut.
  return cut > length ? -Math.floor((cut - length) / 2) : roundHalfEven((length - cut) / 2);
}
