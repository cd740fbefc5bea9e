/** Images with what was found in them: masks, boxes, labels and scores. */
import type { Sharp } from "sharp";
import { ImageError, type Image } from "../../images/image.js";
import type { MaskText } from "../../data/masks/text.js";
import type { Box } from "../../data/objects.js";
import { classColour, inkOn } from "./colours.js";
import { LabelPlaces, type Area } from "./labels.js";
import { CAPITALS, DESCENT, letter, round, shorten, widthOf } from "./lettering.js";
import { paintMasks } from "./masks.js";

/** A box to be drawn. */
export interface Mark {
  readonly box: Box;
  /** Index of the class, from 0: chooses the colour. */
  readonly class: number;
  readonly label: string;
  /** Stands behind the label. Absent for what is known. */
  readonly score?: number;
  /** Of the image's size: painted below the box. */
  readonly mask?: MaskText;
  /** Dashed: what should have been found, a crowd. */
  readonly isDashed?: boolean;
}

/** How the drawn image is written. */
export interface DrawOptions {
  /** Default "png". */
  readonly format?: "png" | "jpeg";
}

/** An image of fewer pixels along its longer side is enlarged by a whole number, so that labels can be read. */
const LEAST_SIDE = 320;
const MOST_ENLARGED = 16;
/** What the renderer of SVG can do. */
const MAX_SIDE = 32_767;

/**
 * Draws the marks over an image: of the size of the image, or a whole multiple of it where it is tiny. The highest-scoring
 * are drawn last and get their labels first; a label that finds no free place is left out. Masks are below all boxes.
 *
 * @returns the file's bytes
 * @throws {ImageError} where a side of the image is too long
 * @throws {DataError | RangeError} where a mask is none, or of another size
 */
export async function drawDetections(
  image: Image,
  marks: readonly Mark[],
  { format = "png" }: DrawOptions = {},
): Promise<Buffer> {
  const zoom = enlargement(image);
  const [width, height] = [image.width * zoom, image.height * zoom];
  if (Math.max(width, height) > MAX_SIDE) {
    throw new ImageError(`boxes can't be drawn on an image of ${width} x ${height}: ${MAX_SIDE} is the most`);
  }
  const { default: sharp } = await import("sharp");
  const painted = painting(image, marks);
  let canvas: Sharp = sharp(painted.data, { raw: { width: image.width, height: image.height, channels: 3 } });
  if (zoom > 1) canvas = sharp(await canvas.resize(width, height, { kernel: "nearest" }).png().toBuffer());
  const drawn = canvas.composite([{ input: Buffer.from(overlay(image, marks)), density: 72 }]);
  return (format === "png" ? drawn.png() : drawn.jpeg({ quality: 92, chromaSubsampling: "4:4:4" })).toBuffer();
}

/** The highest-scoring mask last. */
function painting(image: Image, marks: readonly Mark[]): Image {
  const masks = bySureness(marks).flatMap(({ mask, class: index }) => (mask ? [{ mask, class: index }] : []));
  return masks.length === 0 ? image : paintMasks(image, masks.reverse());
}

/** Surest first. The sort keeps the order of equals; what has no score comes last, below everything. */
function bySureness(marks: readonly Mark[]): Mark[] {
  return marks.toSorted((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity) || 0);
}

/** How many times an image is enlarged when boxes are drawn on it. */
export function enlargement({ width, height }: Pick<Image, "width" | "height">): number {
  return Math.min(MOST_ENLARGED, Math.max(1, Math.ceil(LEAST_SIDE / Math.max(width, height))));
}

/** The marks as SVG, transparent elsewhere, of the size in which the image is drawn. */
export function overlay(image: Pick<Image, "width" | "height">, marks: readonly Mark[]): string {
  const zoom = enlargement(image);
  const [width, height] = [image.width * zoom, image.height * zoom];
  // Thickness and letters grow with the image, slower than it does.
  const unit = Math.sqrt(Math.sqrt(width * height)) / 10;
  const line = Math.max(2, Math.round(unit));
  const size = Math.max(10, unit * 5.5);

  const visible = bySureness(marks)
    .map((mark) => ({ mark, area: visibleArea(mark.box, zoom, width, height) }))
    .filter((each): each is Placed => each.area !== undefined);
  const places = new LabelPlaces(width, height);
  const labels = visible.map((each) => drawLabel(each, places, size, width, height));
  const boxes = visible.map((each) => drawBox(each, line)).reverse();
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
${[...boxes, ...labels.filter((label) => label !== "").reverse()].join("\n")}
</svg>
`;
}

interface Placed {
  readonly mark: Mark;
  /** What of the box is in the image. */
  readonly area: Area;
}

function visibleArea([x, y, boxWidth, boxHeight]: Box, zoom: number, width: number, height: number): Area | undefined {
  // Whole pixels, for sharp lines.
  const pixel = (value: number, most: number) => Math.max(0, Math.min(most, Math.round(value * zoom)));
  const [left, top] = [pixel(x, Infinity), pixel(y, Infinity)];
  const [right, bottom] = [pixel(x + boxWidth, width), pixel(y + boxHeight, height)];
  // Also false where a number is none.
  if (!(right >= left && bottom >= top && left < width && top < height)) return undefined;
  if (x + boxWidth < 0 || y + boxHeight < 0) return undefined;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** A line of the class's colour between dark and light ones, one of which stands out from any ground. */
function drawBox({ mark, area }: Placed, line: number): string {
  const colour = classColour(mark.class);
  // Inside the image, also at its border.
  const inset = Math.min(line / 2 + 1, area.width / 2, area.height / 2);
  const place =
    `x="${round(area.x + inset)}" y="${round(area.y + inset)}" ` +
    `width="${round(area.width - 2 * inset)}" height="${round(area.height - 2 * inset)}" fill="none" stroke-linejoin="round"`;
  const dash = mark.isDashed ? ` stroke-dasharray="${round(line * 3)} ${round(line * 2)}"` : "";
  const edge = inkOn(colour);
  return (
    `<rect ${place} stroke="${edge}" stroke-opacity="0.6" stroke-width="${round(line + 2)}"${dash}/>` +
    `<rect ${place} stroke="${colour}" stroke-width="${round(line)}"${dash}/>`
  );
}

/** On a plate of the class's colour. */
function drawLabel({ mark, area }: Placed, places: LabelPlaces, size: number, width: number, height: number): string {
  const padding = size * 0.3;
  const plateHeight = Math.ceil(size * (CAPITALS + DESCENT) + padding);
  if (plateHeight > height) return "";
  const score = mark.score === undefined ? "" : ` ${mark.score.toFixed(2)}`;
  const room = (width - 2 * padding) / size - widthOf(score);
  const text = `${shorten(printable(mark.label), Math.min(room, LONGEST))}${score}`.trim();
  if (text === "" || widthOf(text) * size + 2 * padding > width) return "";
  const plate = places.take(area, Math.ceil(widthOf(text) * size + 2 * padding), plateHeight);
  if (plate === undefined) return "";
  const colour = classColour(mark.class);
  const baseline = plate.y + padding / 2 + size * CAPITALS;
  return (
    `<rect x="${round(plate.x)}" y="${round(plate.y)}" width="${plate.width}" height="${plate.height}" fill="${colour}"/>` +
    letter(text, plate.x + padding, baseline, size, inkOn(colour))
  );
}

/** Of a label, in font sizes: about thirty letters. */
const LONGEST = 20;

/** One line: whatever breaks it becomes a space. */
function printable(label: string): string {
  return label.replace(/\s+/g, " ").trim();
}
