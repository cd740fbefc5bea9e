/** A colour for each class. */

/** Bright enough to be seen and different enough to be told apart; the first are the most different ones. */
const COLOURS = [
  "#ff3b30",
  "#00c853",
  "#2979ff",
  "#ffd600",
  "#d500f9",
  "#00e5ff",
  "#ff9100",
  "#f48fb1",
  "#a1887f",
  "#c6ff00",
  "#7c4dff",
  "#1de9b6",
  "#ff4081",
  "#90a4ae",
  "#8d6e00",
  "#69b3ff",
  "#b9f6ca",
  "#b71c1c",
  "#1b5e20",
  "#e1bee7",
] as const;

/** @param index of the class, from 0; after some the colours begin again */
export function classColour(index: number): string {
  return COLOURS[((index % COLOURS.length) + COLOURS.length) % COLOURS.length]!;
}

/** Black or white, whichever is easier to read on a colour (WCAG's relative luminance). */
export function inkOn(colour: string): "#000000" | "#ffffff" {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  return luminance > 0.179 ? "#000000" : "#ffffff";
}
