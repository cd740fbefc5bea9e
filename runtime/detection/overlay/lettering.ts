/** Text as outlines, so that it looks the same on machines without fonts. */
import { GLYPHS } from "./font/glyphs.generated.js";

/** Of the outlines: thousandths of the font's size. */
const EM = 1000;
/** Height of capitals, and what is below the baseline, as shares of the font's size. */
export const CAPITALS = 0.73;
export const DESCENT = 0.24;
const ELLIPSIS = "…";

/** The width of a text, as a share of the font's size. */
export function widthOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + advanceOf(letter), 0) / EM;
}

/** Letters that have no outline here are left to the system's fonts: as wide as high at most. */
function advanceOf(letter: string): number {
  return GLYPHS[letter]?.[0] ?? EM;
}

/** The text itself, or its beginning with an ellipsis, no wider than the limit (a share of the font's size). */
export function shorten(text: string, limit: number): string {
  if (widthOf(text) <= limit) return text;
  let kept = "";
  for (const letter of text) {
    if (widthOf(kept + letter + ELLIPSIS) > limit) break;
    kept += letter;
  }
  return kept === "" ? "" : kept.trimEnd() + ELLIPSIS;
}

/** SVG of a line of text that begins at x on the baseline y; the size and the place in pixels. */
export function letter(text: string, x: number, y: number, size: number, colour: string): string {
  let at = 0;
  const shapes: string[] = [];
  for (const each of text) {
    const path = GLYPHS[each]?.[1];
    const move = at === 0 ? "" : ` transform="translate(${at} 0)"`;
    if (path === undefined)
      shapes.push(`<text${move} font-size="${EM}" font-family="sans-serif">${escape(each)}</text>`);
    else if (path !== "") shapes.push(`<path${move} d="${path}"/>`);
    at += advanceOf(each);
  }
  const scale = Math.round((size / EM) * 1e5) / 1e5;
  return `<g fill="${colour}" transform="translate(${round(x)} ${round(y)}) scale(${scale})">${shapes.join("")}</g>`;
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** What can't stand in XML becomes the replacement character. */
function escape(content: string): string {
  return content
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
}
