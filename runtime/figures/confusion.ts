/** A confusion matrix as SVG text: a row for each class, coloured by the shares of its images. */
import { scaleLinear } from "d3-scale";
import type { Evaluation } from "../classification/evaluate.js";
import { svgDocument } from "./document.js";
import { escapeXml } from "./escape.js";

/** Up to so many classes cells have their numbers; up to so many rows and columns have their names. */
const NUMBERED = 30;
const NAMED = 120;
/** Characters of a name that are shown. */
const SHOWN = 24;
const INK = "#222222";
/** White for none, then two blues: print and every kind of colour vision keep them apart. */
const shade = scaleLinear<string>().domain([0, 0.15, 1]).range(["#ffffff", "#bcd7ee", "#08457e"]).clamp(true);

const SHADES = `<linearGradient id="share" x1="0" y1="1" x2="0" y2="0">${shade
  .domain()
  .map((at) => `<stop offset="${at}" stop-color="${shade(at)}"/>`)
  .join("")}</linearGradient>`;

/**
 * Rows are what images are of, columns what they were taken for; a row's colours are shares of its images, so that rare
 * classes are seen as well as frequent ones. Numbers and names are left out where they would not be legible, and shown by
 * the reader's pointer.
 *
 * @param title for a reader who can't see it
 */
export function drawConfusion(
  { classes, confusion }: Pick<Evaluation, "classes" | "confusion">,
  title = "confusion matrix",
): string {
  const count = classes.length;
  const digits = confusion.reduce((most, row) => row.reduce((m, n) => Math.max(m, String(n).length), most), 1);
  const cell = count <= NUMBERED ? Math.max(24, 7 * digits + 8) : Math.max(2, Math.min(16, Math.floor(900 / count)));
  const isNamed = count <= NAMED && cell >= 7;
  const size = Math.min(11, cell - 1);
  const names = classes.map(({ name }) => (name.length <= SHOWN ? name : `${name.slice(0, SHOWN - 3)}...`));
  const longest = isNamed ? names.reduce((most, name) => Math.max(most, name.length), 0) : 0;
  const edge = 30 + Math.ceil(longest * size * 0.62);
  const side = count * cell;
  const [width, height] = [edge + side + 76, edge + side + 16];
  const key = Math.min(side, 160);
  return svgDocument({
    kind: "confusion",
    width,
    height,
    description: `${title}: ${count} classes`,
    rules: {
      text: `font: ${size}px Helvetica, Arial, sans-serif; fill: ${INK}`,
      ".label": "font-size: 12px; text-anchor: middle",
      ".row": "text-anchor: end",
      ".number": "text-anchor: middle; font-size: 11px",
      ".light": "fill: #ffffff",
      ".key": "font-size: 10px",
    },
    defs: SHADES,
    body: [
      `<text class="label" x="${edge + side / 2}" y="16">taken for</text>`,
      `<text class="label" transform="translate(16 ${edge + side / 2}) rotate(-90)">class of the image</text>`,
      ...(isNamed ? nameLines(names, edge, cell, size) : []),
      ...cells(classes, confusion, edge, cell),
      `<path d="M${edge} ${edge}h${side}v${side}h-${side}z" fill="none" stroke="#444444"/>`,
      `<rect x="${edge + side + 18}" y="${edge}" width="12" height="${key}" fill="url(#share)" stroke="#888888" stroke-width="0.5"/>`,
      `<text class="key" x="${edge + side + 34}" y="${edge + 8}">100 %</text>`,
      `<text class="key" x="${edge + side + 34}" y="${edge + key}">0 %</text>`,
    ],
  });
}

function nameLines(names: readonly string[], edge: number, cell: number, size: number): string[] {
  return names.flatMap((name, i) => {
    const middle = edge + (i + 0.5) * cell;
    const base = round(middle + size * 0.36);
    return [
      `<text class="row" x="${edge - 6}" y="${base}">${escapeXml(name)}</text>`,
      `<text transform="translate(${base} ${edge - 6}) rotate(-90)">${escapeXml(name)}</text>`,
    ];
  });
}

/** Those that are not empty: of a thousand classes a million are. */
function cells(
  classes: Evaluation["classes"],
  confusion: Evaluation["confusion"],
  edge: number,
  cell: number,
): string[] {
  return confusion.flatMap((row, label) => {
    const { name, images } = classes[label]!;
    return row.flatMap((count, taken) => {
      if (count === 0) return [];
      const share = count / images;
      const [x, y] = [edge + taken * cell, edge + label * cell];
      const title = `${name} taken for ${classes[taken]!.name}: ${count} of ${images} (${(100 * share).toFixed(1)} %)`;
      const number =
        classes.length <= NUMBERED
          ? `<text class="number${share > 0.45 ? " light" : ""}" x="${x + cell / 2}" y="${round(y + cell / 2 + 4)}">${count}</text>`
          : "";
      return [
        `<g><title>${escapeXml(title)}</title><rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${shade(share)}"/>${number}</g>`,
      ];
    });
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
