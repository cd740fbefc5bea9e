/** A placed drawing as SVG text: dark on white, the reader's own fonts, and a title on everything that has a name. */
import { svgDocument } from "./document.js";
import { escapeXml } from "./escape.js";
import type { Curve, Drawing, Line } from "./drawing.js";

/** Fill and outline of the stages' boxes, in order; more stages than colours begin again. */
const STAGE_COLOURS = [
  ["#fde3c8", "#b86a1f"],
  ["#e3dcf5", "#6a51a3"],
  ["#d9efd5", "#3d8b40"],
  ["#fbd9de", "#b8394e"],
  ["#d6e8f8", "#2b6ca3"],
  ["#fdf3bf", "#97790c"],
  ["#d5f0ee", "#1f7f78"],
  ["#ecdccf", "#7d5a3c"],
] as const;
const PLAIN = ["#ffffff", "#555555"] as const;
const INK = "#222222";
const ARROW = `<marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.8L8 4L0 7.2z" fill="${INK}"/></marker>`;

export function renderSvg(drawing: Drawing, description: string): string {
  const stages = [...new Set(drawing.boxes.flatMap(({ box }) => box.stage ?? []))];
  const colours = (stage: string | undefined): readonly [string, string] =>
    stage === undefined ? PLAIN : STAGE_COLOURS[stages.indexOf(stage) % STAGE_COLOURS.length]!;

  const elements = [
    ...drawing.lines.map(line),
    ...drawing.curves.map(curve),
    ...drawing.boxes.map(({ x, y, width, height, box }) => {
      const [fill, stroke] = colours(box.stage);
      return (
        `<g><title>${escapeXml(box.path)}</title>` +
        `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="2.5" fill="${fill}" stroke="${stroke}"/>` +
        text(x + width / 2, y + height / 2 + 4, box.label) +
        `</g>`
      );
    }),
    ...drawing.joins.map(({ x, y, text: label, path }) => {
      const half = label.length * 3.2 + 9;
      return (
        `<g><title>${escapeXml(path)}</title>` +
        `<rect x="${n(x - half)}" y="${n(y - 9)}" width="${n(2 * half)}" height="18" rx="9" fill="#ffffff" stroke="${INK}"/>` +
        text(x, y + 4, label, ` class="word"`) +
        `</g>`
      );
    }),
    ...drawing.merges.map(({ x, y, text: label }) => text(x, y, label, ` class="word"`)),
    ...drawing.brackets.map(({ x, top, bottom, count }) => {
      const middle = (top + bottom) / 2;
      return (
        `<path d="M${n(x + 4)} ${n(top)}H${n(x)}V${n(bottom)}H${n(x + 4)}" fill="none" stroke="${INK}"/>` +
        text(x - 6, middle + 4, `×${count}`, ` class="count"`)
      );
    }),
    ...drawing.titles.map(({ x, y, text: title }) => text(x, y, title, ` class="title"`)),
    ...drawing.notes.map(
      ({ x, y, text: size }) =>
        text(x, y - 3, "output", ` class="note"`) + text(x, y + 9, `size: ${size}`, ` class="note"`),
    ),
  ];
  return svgDocument({
    kind: "figure",
    width: round(drawing.width),
    height: round(drawing.height),
    description,
    rules: {
      text: `font: 11px Helvetica, Arial, sans-serif; fill: ${INK}; text-anchor: middle`,
      ".title": "font-size: 14px; font-weight: bold",
      ".word": "font-style: italic",
      ".count": "text-anchor: end; font-weight: bold",
      ".note": "text-anchor: start; fill: #444444",
    },
    defs: ARROW,
    body: elements,
  });
}

function line({ points, arrow }: Line): string {
  const [first, ...rest] = points.map(([x, y]) => `${n(x)} ${n(y)}`);
  const end = arrow ? ` marker-end="url(#arrow)"` : "";
  return `<path d="M${first}${rest.map((point) => `L${point}`).join("")}" fill="none" stroke="${INK}"${end}/>`;
}

/** Out of the trunk above the rows, round them at the right, and back into the trunk below. */
function curve({ x, side, bulge, top, bottom, arc }: Curve): string {
  const dotted = arc.kind === "identity" ? "" : ` stroke-dasharray="2 3"`;
  const out = `M${n(x)} ${n(top)}H${n(side - 6)}`;
  const round = `C${n(side + bulge)} ${n(top)} ${n(side + bulge)} ${n(bottom)} ${n(side - 6)} ${n(bottom)}`;
  const merge = arc.merge === undefined ? "" : along(side - 6 + 0.75 * (bulge + 6), (top + bottom) / 2, arc.merge);
  return (
    `<g><title>${escapeXml(arc.note)}</title>` +
    `<path d="${out}${round}H${n(x + 1)}" fill="none" stroke="${INK}" stroke-width="1.3"${dotted} marker-end="url(#arrow)"/>${merge}</g>`
  );
}

/** Written downwards on a curve, which it interrupts. */
function along(x: number, y: number, content: string): string {
  const place = `transform="rotate(90 ${n(x)} ${n(y)})"`;
  return text(x, y + 4, content, ` class="word" ${place} paint-order="stroke" stroke="#ffffff" stroke-width="5"`);
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${n(x)}" y="${n(y)}"${attributes}>${escapeXml(content)}</text>`;
}

/** Coordinates, without a trailing zero. */
function n(value: number): string {
  return String(round(value));
}

/** To a tenth. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
