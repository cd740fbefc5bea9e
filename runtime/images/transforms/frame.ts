/**
 * Where in the source an image comes from. Crops, scalings and mirrors are collected as geometry and carried out
 * together: only pixels that are seen are computed, and the decoder can be told that a smaller image is enough.
 */
import { mirrorWindow } from "../crops.js";
import { type Size } from "../image.js";
import { ImageError, type Image } from "../image.js";
import { resample, type Interpolation, type Window } from "../resample.js";
import { placesByRatio, placesByScale, sample, somePlaces } from "../sample.js";
import { asImage, valuesOf, type Raster } from "./raster.js";

/**
 * How values between the pixels are found: by a filter of Pillow's, or between the four pixels round a place, which is
 * found by the ratio of the sizes (PyTorch) or by the scale that was asked for (OpenCV).
 */
export type Scaling = Interpolation | { readonly sampledBy: "ratio" | number };

/** One round: a part of the source is cut out, scaled, cut again, mirrored. */
interface Round {
  /** Inside the source. */
  readonly cut: Window;
  /** What the cut is scaled to. */
  readonly scaled: Size;
  readonly interpolation: Scaling;
  /** Part of what was scaled; it may reach beyond it, where zeros are. */
  readonly window: Window;
  /** Left and right are exchanged after that. */
  readonly mirrored: boolean;
}

/** Rounds: the first on the source, each of the others on what the one before gave. */
export type Frame = readonly Round[];

/** All of a source. */
export function wholeFrame(size: Size): Frame {
  const all = windowOf(size);
  return [{ cut: all, scaled: size, interpolation: "nearest", window: all, mirrored: false }];
}

/** Height and width of what is in the frame. */
export function frameSize(frame: Frame): Size {
  const { window } = frame.at(-1)!;
  return [window.height, window.width];
}

/** By what a round scales, down and across: where sizes are rounded and a scale was asked for, by that scale. */
export function scaleOf({ cut, scaled, interpolation }: Round): readonly [y: number, x: number] {
  const asked = typeof interpolation === "string" ? "ratio" : interpolation.sampledBy;
  return asked === "ratio" ? [scaled[0] / cut.height, scaled[1] / cut.width] : [asked, asked];
}

/** The image scaled to a size. */
export function resizeFrame(frame: Frame, size: Size, interpolation: Scaling): Frame {
  const round = frame.at(-1)!;
  const before = frameSize(frame);
  if (typeof interpolation === "string" && sameSize(size, before)) return frame;
  const { cut, window } = round;
  // A part that was cut from the source is scaled as if there were nothing around it, as torchvision does.
  const isPart = isUnscaled(round) && !round.mirrored && contains(windowOf(round.scaled), window);
  const part = { ...window, left: cut.left + window.left, top: cut.top + window.top };
  const next = { cut: windowOf(before), scaled: size, interpolation, window: windowOf(size), mirrored: false };
  return isPart ? [...frame.slice(0, -1), { ...next, cut: part }] : [...frame, next];
}

/** A part of the image. Where it reaches beyond the image, zeros are put. */
export function cropFrame(frame: Frame, window: Window): Frame {
  const round = frame.at(-1)!;
  const before = frameSize(frame);
  const part = round.mirrored ? mirrorWindow(window, before) : window;
  // Cut twice is cut once, unless the second window would show again what the first cut off.
  const atOnce = contains(windowOf(before), part) || contains(round.window, windowOf(round.scaled));
  if (!atOnce) return [...frame, { ...wholeFrame(before)[0]!, window }];
  const { left, top } = round.window;
  return [...frame.slice(0, -1), { ...round, window: { ...part, left: left + part.left, top: top + part.top } }];
}

/** Left and right exchanged. */
export function mirrorFrame(frame: Frame): Frame {
  const round = frame.at(-1)!;
  return [...frame.slice(0, -1), { ...round, mirrored: !round.mirrored }];
}

/** How many times smaller a JPEG can be decoded in both directions. */
export type Shrink = 1 | 2 | 4 | 8;

/** A decoder's averages and our filter together differ from our filter alone by less than a level if it still halves. */
const LEFT_TO_FILTER = 2;

/** The most that a source may be shrunk while it is decoded without the image looking different. */
export function allowedShrink(frame: Frame): Shrink {
  const { cut, scaled, interpolation } = frame[0]!;
  if (interpolation === "nearest" || typeof interpolation !== "string") return 1;
  const factor = Math.min(cut.height / scaled[0], cut.width / scaled[1]) / LEFT_TO_FILTER;
  return factor >= 8 ? 8 : factor >= 4 ? 4 : factor >= 2 ? 2 : 1;
}

/** The same image of a source that was decoded smaller; the cut moves by less than one of the smaller pixels. */
export function shrunkFrame(frame: Frame, source: Size, decoded: Size): Frame {
  if (sameSize(source, decoded)) return frame;
  const [round, ...others] = frame as [Round, ...Round[]];
  const across = (x: number) => Math.round((x * decoded[1]) / source[1]);
  const down = (y: number) => Math.round((y * decoded[0]) / source[0]);
  const { left, top, width, height } = round.cut;
  const [smallLeft, smallTop] = [across(left), down(top)];
  const cut = {
    left: smallLeft,
    top: smallTop,
    width: across(left + width) - smallLeft,
    height: down(top + height) - smallTop,
  };
  return [{ ...round, cut }, ...others];
}

const NOTHING: Raster = { width: 0, height: 0, data: new Uint8Array() };

/** Carries the geometry out. Gives the source itself where there is nothing to do. */
export function pixelsIn(frame: Frame, source: Raster): Raster {
  return frame.reduce((raster, { cut, scaled, interpolation, window, mirrored }) => {
    const part = cutOut(raster, cut, false);
    const isScaled = typeof interpolation !== "string" || !sameSize(scaled, [part.height, part.width]);
    if (!isScaled) return cutOut(part, window, mirrored);
    const all = windowOf(scaled);
    const seen = intersection(window, all);
    checkScaled(source, scaled, seen);
    if (contains(all, window)) return scaledPart(asImage(part), scaled, interpolation, window, mirrored);
    const isSeen = seen.width > 0 && seen.height > 0;
    const filtered = isSeen ? scaledPart(asImage(part), scaled, interpolation, seen, false) : NOTHING;
    return cutOut(filtered, { ...window, left: window.left - seen.left, top: window.top - seen.top }, mirrored);
  }, source);
}

/** More pixels than this are not scaled to: an image of 10000x8 would have 512 million at a shorter side of 640. */
const MAX_SCALED_PIXELS = 100_000_000;

function checkScaled({ width, height }: Raster, scaled: Size, seen: Window): void {
  if (seen.width * seen.height <= MAX_SCALED_PIXELS && Math.max(...scaled) <= MAX_SCALED_PIXELS) return;
  throw new ImageError(`${width}x${height} is too long: scaled it would be ${scaled[1]}x${scaled[0]}`);
}

/** The part of the scaled image in the window, which lies inside of it. */
function scaledPart(image: Image, [height, width]: Size, how: Scaling, window: Window, mirrored: boolean): Raster {
  if (typeof how === "string") return resample(image, width, height, how, window, mirrored);
  const { sampledBy } = how;
  const along = (from: number, to: number) =>
    sampledBy === "ratio" ? placesByRatio(from, to) : placesByScale(from, to, sampledBy);
  const rows = somePlaces(along(image.height, height), window.top, window.height);
  const columns = somePlaces(along(image.width, width), window.left, window.width, mirrored);
  return { width: window.width, height: window.height, data: sample(image, rows, columns) };
}

/** A copy of the window, zeros where it reaches beyond; the raster itself where that is all of it. */
function cutOut(raster: Raster, window: Window, mirrored: boolean): Raster {
  const all = windowOf([raster.height, raster.width]);
  const isInside = contains(all, window);
  if (!mirrored && isInside && contains(window, all)) return raster;
  // Zero is a value, and may be no level's.
  const from = isInside || !raster.curve ? raster.data : valuesOf(raster);
  const { width, height } = window;
  const count = width * height * 3;
  const data = from instanceof Uint8Array ? new Uint8Array(count) : new Float32Array(count);
  const seen = intersection(window, all);
  for (let y = seen.top; y < seen.top + seen.height && seen.width > 0; y++) {
    const start = (y * raster.width + seen.left) * 3;
    const row = from.subarray(start, start + seen.width * 3);
    const to = (y - window.top) * width;
    if (mirrored) putMirrored(row, data, (to + window.left + width - seen.left - seen.width) * 3);
    else data.set(row, (to + seen.left - window.left) * 3);
  }
  return { width, height, data, ...(from === raster.data && raster.curve && { curve: raster.curve }) };
}

/** Writes a row's pixels from the last to the first. */
function putMirrored(row: Raster["data"], out: Raster["data"], at: number): void {
  for (let from = row.length - 3, to = at; from >= 0; from -= 3, to += 3) {
    out[to] = row[from]!;
    out[to + 1] = row[from + 1]!;
    out[to + 2] = row[from + 2]!;
  }
}

function windowOf([height, width]: Size): Window {
  return { left: 0, top: 0, width, height };
}

function isUnscaled({ cut, scaled }: Round): boolean {
  return sameSize(scaled, [cut.height, cut.width]);
}

function sameSize(a: Size, b: Size): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function contains(outer: Window, inner: Window): boolean {
  return (
    inner.left >= outer.left &&
    inner.top >= outer.top &&
    inner.left + inner.width <= outer.left + outer.width &&
    inner.top + inner.height <= outer.top + outer.height
  );
}

function intersection(a: Window, b: Window): Window {
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  const right = Math.min(a.left + a.width, b.left + b.width);
  const bottom = Math.min(a.top + a.height, b.top + b.height);
  return { left, top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}
