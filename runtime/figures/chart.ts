/** Charts as SVG text: axes, a grid, curves, a legend. Scales and paths are d3's. */
import { scaleLinear, scaleLog } from "d3-scale";
import { curveStepAfter, line } from "d3-shape";
import { svgDocument } from "./document.js";
import { escapeXml } from "./escape.js";

export interface Series {
  readonly name: string;
  /** In data units, in the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly colour: string;
  readonly dashed?: boolean;
  readonly width?: number;
  readonly opacity?: number;
  /** A dot at every point: where there are few. */
  readonly marked?: boolean;
  /** Drawn as steps: each value from its x to the next. */
  readonly steps?: boolean;
}

export interface Axis {
  readonly label: string;
  readonly domain: readonly [number, number];
  readonly log?: boolean;
  readonly format?: (value: number) => string;
}

export interface Panel {
  readonly title?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
}

/** Colours that are told apart by people with any kind of colour vision (Okabe and Ito). */
export const COLOURS = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#e69f00",
  "#7a5c00",
  "#333333",
] as const;

const PANEL = { width: 460, height: 300 };
const MARGIN = { left: 62, right: 18, top: 34, bottom: 48 };

/** Panels side by side, one legend at the upper right of each. */
export function chart(panels: readonly Panel[], legend: readonly LegendEntry[], description: string): string {
  const width = panels.length * (MARGIN.left + PANEL.width + MARGIN.right);
  const legendRows = legend.length;
  const height = MARGIN.top + PANEL.height + MARGIN.bottom + 8 + Math.ceil(legendRows / LEGEND_COLUMNS(width)) * 18;
  const body = panels.map((panel, index) =>
    drawPanel(panel, index * (MARGIN.left + PANEL.width + MARGIN.right), index),
  );
  const key = drawLegend(legend, width, MARGIN.top + PANEL.height + MARGIN.bottom + 10);
  return svgDocument({
    kind: "chart",
    width,
    height,
    description,
    rules: {
      text: "font: 11px Helvetica, Arial, sans-serif; fill: #222222",
      ".title": "font-size: 13px; font-weight: bold; text-anchor: middle",
      ".label": "font-size: 12px; text-anchor: middle",
      ".x": "text-anchor: middle",
      ".y": "text-anchor: end",
      ".grid": "stroke: #e4e4e4",
      ".axis": "stroke: #444444; fill: none",
    },
    body: [...body, key],
  });
}

function drawPanel({ title, x, y, series }: Panel, offset: number, index: number): string {
  const left = offset + MARGIN.left;
  const scaleX = scaleOf(x, [left, left + PANEL.width]);
  const scaleY = scaleOf(y, [MARGIN.top + PANEL.height, MARGIN.top]);
  const [bottom, right] = [MARGIN.top + PANEL.height, left + PANEL.width];
  const formatX = x.format ?? String;
  const formatY = y.format ?? String;
  const clip = `panel${index}`;
  const parts = [
    `<clipPath id="${clip}"><rect x="${left}" y="${MARGIN.top}" width="${PANEL.width}" height="${PANEL.height}"/></clipPath>`,
    ...ticks(scaleY, y).map((value) => {
      const at = n(scaleY(value));
      return `<path class="grid" d="M${left} ${at}H${right}"/><text class="y" x="${left - 6}" y="${n(scaleY(value) + 4)}">${escapeXml(formatY(value))}</text>`;
    }),
    ...ticks(scaleX, x).map((value) => {
      const at = n(scaleX(value));
      return `<path class="grid" d="M${at} ${MARGIN.top}V${bottom}"/><text class="x" x="${at}" y="${bottom + 16}">${escapeXml(formatX(value))}</text>`;
    }),
    `<g clip-path="url(#${clip})">`,
    ...series.map((each) => drawSeries(each, scaleX, scaleY)),
    `</g>`,
    `<path class="axis" d="M${left} ${MARGIN.top}V${bottom}H${right}V${MARGIN.top}z"/>`,
    `<text class="label" x="${left + PANEL.width / 2}" y="${bottom + 36}">${escapeXml(x.label)}</text>`,
    `<text class="label" transform="translate(${offset + 16} ${MARGIN.top + PANEL.height / 2}) rotate(-90)">${escapeXml(y.label)}</text>`,
    ...(title === undefined
      ? []
      : [`<text class="title" x="${left + PANEL.width / 2}" y="${MARGIN.top - 12}">${escapeXml(title)}</text>`]),
  ];
  return parts.join("\n");
}

type Scale = ReturnType<typeof scaleLinear<number, number>> | ReturnType<typeof scaleLog<number, number>>;

function scaleOf({ domain, log }: Axis, range: readonly [number, number]): Scale {
  const scale = log ? scaleLog<number, number>() : scaleLinear<number, number>();
  return scale.domain([...domain]).range([...range]);
}

function ticks(scale: Scale, { log }: Axis): readonly number[] {
  const all = scale.ticks(6);
  // A logarithmic axis of one or two decades has ticks at 1, 2 and 5.
  return log ? all.filter((value) => /^[125]/.test(value.toExponential())) : all;
}

function drawSeries(
  { name, points, colour, dashed, width = 1.8, opacity = 1, marked, steps }: Series,
  x: Scale,
  y: Scale,
): string {
  const path = line<readonly [number, number]>()
    .x(([at]) => x(at))
    .y(([, value]) => y(value))
    .defined(([, value]) => Number.isFinite(value))
    .digits(1);
  if (steps) path.curve(curveStepAfter);
  const style = `fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"${dashed ? ` stroke-dasharray="4 3"` : ""}${opacity < 1 ? ` opacity="${opacity}"` : ""}`;
  const dots = marked
    ? points.map(([at, value]) => `<circle cx="${n(x(at))}" cy="${n(y(value))}" r="2.4" fill="${colour}"/>`)
    : [];
  return `<path d="${path([...points]) ?? ""}" ${style}><title>${escapeXml(name)}</title></path>${dots.join("")}`;
}

const LEGEND_WIDTH = 230;
const LEGEND_COLUMNS = (width: number): number => Math.max(1, Math.floor((width - MARGIN.left) / LEGEND_WIDTH));

function drawLegend(entries: readonly LegendEntry[], width: number, top: number): string {
  const columns = LEGEND_COLUMNS(width);
  return entries
    .map(({ name, colour, dashed }, index) => {
      const x = MARGIN.left + (index % columns) * LEGEND_WIDTH;
      const y = top + Math.floor(index / columns) * 18;
      const dash = dashed ? ` stroke-dasharray="4 3"` : "";
      return `<path d="M${x} ${y}h24" stroke="${colour}" stroke-width="2"${dash}/><text x="${x + 30}" y="${y + 4}">${escapeXml(name)}</text>`;
    })
    .join("\n");
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
