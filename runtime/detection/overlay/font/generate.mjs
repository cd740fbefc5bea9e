/**
 * Writes glyphs.generated.ts: outlines of a font's letters, so that labels look the same on machines without fonts.
 *
 *     node runtime/detection/overlay/font/generate.mjs DejaVuSans-Bold.ttf
 */
import { readFileSync, writeFileSync } from "node:fs";
import opentype from "opentype.js";

/** ASCII, Latin-1, Latin Extended-A, and some punctuation. */
const RANGES = [
  [0x20, 0x7e],
  [0xa0, 0x17f],
  [0x2013, 0x2014],
  [0x2018, 0x201e],
  [0x2026, 0x2026],
];
const EM = 1000;

const bytes = readFileSync(process.argv[2]);
const font = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const lines = [];
for (const [first, last] of RANGES) {
  for (let code = first; code <= last; code++) {
    const letter = String.fromCodePoint(code);
    const glyph = font.charToGlyph(letter);
    if (glyph.index === 0) continue;
    const n = (value) => String(Math.round(value));
    const commands = glyph.getPath(0, 0, EM).commands;
    const path = commands.map(({ type, x1, y1, x2, y2, x, y }) => {
      const points = [x1, y1, x2, y2, x, y].filter((value) => value !== undefined).map(n);
      return type + points.join(" ");
    });
    const advance = Math.round((glyph.advanceWidth * EM) / font.unitsPerEm);
    lines.push(`  ${JSON.stringify(letter)}: [${advance}, ${JSON.stringify(path.join(""))}],`);
  }
}
const licence = readFileSync(new URL("LICENSE", import.meta.url), "utf8")
  .trim()
  .replaceAll("\n", "\n * ");
writeFileSync(
  new URL("glyphs.generated.ts", import.meta.url),
  `/**
 * @license
 * ${licence}
 */

/**
 * Written by generate.mjs.
 * Advance and SVG path of each letter, in thousandths of the letter height, y downwards from the baseline.
 */
export const GLYPHS: Readonly<Record<string, readonly [advance: number, path: string]>> = {
${lines.join("\n")}
};
`,
);
