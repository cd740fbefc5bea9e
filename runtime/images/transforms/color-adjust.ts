/** Changes of colour on values from 0 to 1, in place; formulas of torchvision's `functional_tensor`. */

/** @param factor 0 is black, 1 no change */
export function adjustBrightness(rgb: Float32Array, factor: number): void {
  for (let i = 0; i < rgb.length; i++) rgb[i] = clamp(rgb[i]! * factor);
}

/** @param factor 0 is all of the image's mean grey, 1 no change */
export function adjustContrast(rgb: Float32Array, factor: number): void {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) sum += grey(rgb, i);
  const mean = (sum / (rgb.length / 3)) * (1 - factor);
  for (let i = 0; i < rgb.length; i++) rgb[i] = clamp(rgb[i]! * factor + mean);
}

/** @param factor 0 is grey, 1 no change */
export function adjustSaturation(rgb: Float32Array, factor: number): void {
  for (let i = 0; i < rgb.length; i += 3) {
    const rest = grey(rgb, i) * (1 - factor);
    for (let c = i; c < i + 3; c++) rgb[c] = clamp(rgb[c]! * factor + rest);
  }
}

/** @param turn of the circle of hues, from -0.5 to 0.5; 0 no change */
export function adjustHue(rgb: Float32Array, turn: number): void {
  if (turn === 0) return;
  for (let i = 0; i < rgb.length; i += 3) {
    const [r, g, b] = [rgb[i]!, rgb[i + 1]!, rgb[i + 2]!];
    const value = Math.max(r, g, b);
    const chroma = value - Math.min(r, g, b);
    if (chroma === 0) continue;
    const sector = value === r ? (g - b) / chroma : value === g ? (b - r) / chroma + 2 : (r - g) / chroma + 4;
    const hue = sector + 6 * turn + 12;
    // Each channel falls from `value` by as much of the chroma as the hue is away from it.
    rgb[i] = value - chroma * fall(hue + 5);
    rgb[i + 1] = value - chroma * fall(hue + 3);
    rgb[i + 2] = value - chroma * fall(hue + 1);
  }
}

/** 0 to 1, by the place on the hexagon of hues. */
function fall(place: number): number {
  const k = place % 6;
  return clamp(Math.min(k, 4 - k));
}

/** ITU-R 601-2 luma, with torchvision's rounded weights. */
function grey(rgb: Float32Array, at: number): number {
  return 0.2989 * rgb[at]! + 0.587 * rgb[at + 1]! + 0.114 * rgb[at + 2]!;
}

function clamp(x: number): number {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}
