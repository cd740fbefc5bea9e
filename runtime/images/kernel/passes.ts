/** Runs the compiled kernel: the passes over an image's columns and rows that take nearly all of the time of scaling. */
import { RESAMPLE } from "./resample.generated.js";

/** For each pixel of the result, the source pixels it is made of and their weights. */
export interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` weights a pixel, of which `count` are in use; 22 bits after the binary point. */
  readonly values: Int32Array;
  readonly stride: number;
}

interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };
  readonly across: (...addresses: number[]) => void;
  readonly down: (...addresses: number[]) => void;
}

/** The part of WebAssembly that is used; TypeScript knows it in browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const PAGE = 65536;
/** Reads and writes go in steps of 16 bytes, beyond the end. */
const SLACK = 16;
/** Rows are handed over in strips of about this many bytes: they fit into a processor's cache. */
const STRIP = 1 << 20;
/** A kernel that has grown to this for a huge image is given up: its memory never shrinks. */
const KEPT = 1 << 26;

let module: object | undefined;
let kernel: Kernel | undefined;

/**
 * Rows of `pitch` bytes, each scaled across.
 *
 * @returns rows of `weights.first.length` pixels of three bytes
 */
export function across(rows: Uint8Array, pitch: number, weights: Weights): Uint8Array {
  const width = weights.first.length;
  const height = rows.length / pitch;
  const out = new Uint8Array(width * 3 * height);
  const atOnce = Math.max(1, Math.floor(STRIP / pitch));
  const layout = plan(weights, Math.min(height, atOnce) * pitch, Math.min(height, atOnce) * width * 3);
  const { memory, across: run } = ready(layout.end);
  place(memory, layout, weights, (first) => first * 3);
  for (let y = 0; y < height; y += atOnce) {
    const count = Math.min(atOnce, height - y);
    new Uint8Array(memory.buffer).set(rows.subarray(y * pitch, (y + count) * pitch), layout.source);
    const { source, out: result, first, count: counts, values } = layout;
    run(source, pitch, count, result, width, first, counts, values, weights.stride);
    out.set(new Uint8Array(memory.buffer, result, count * width * 3), y * width * 3);
  }
  release();
  return out;
}

/**
 * Rows of `pitch` bytes, scaled down (or up) to `weights.first.length` rows.
 *
 * @param top the row of the source at which `rows` begins
 */
export function down(rows: Uint8Array, pitch: number, weights: Weights, top: number): Uint8Array {
  const height = weights.first.length;
  const layout = plan(weights, rows.length, height * pitch);
  const { memory, down: run } = ready(layout.end);
  place(memory, layout, weights, (first) => (first - top) * pitch);
  new Uint8Array(memory.buffer).set(rows, layout.source);
  const { source, out: result, first, count, values } = layout;
  run(source, pitch, height, result, first, count, values, weights.stride);
  const out = new Uint8Array(memory.buffer, result, height * pitch).slice();
  release();
  return out;
}

/** Addresses in the kernel's memory. */
interface Layout {
  readonly first: number;
  readonly count: number;
  readonly values: number;
  readonly source: number;
  readonly out: number;
  readonly end: number;
}

function plan(weights: Weights, sourceBytes: number, outBytes: number): Layout {
  const count = weights.first.length * 4;
  const values = count * 2;
  const source = values + weights.values.length * 4;
  const out = align(source + sourceBytes + SLACK);
  return { first: 0, count, values, source, out, end: out + outBytes + SLACK };
}

function place(memory: Kernel["memory"], layout: Layout, weights: Weights, offset: (first: number) => number): void {
  new Int32Array(memory.buffer, layout.first, weights.first.length).set(weights.first.map(offset));
  new Int32Array(memory.buffer, layout.count, weights.count.length).set(weights.count);
  new Int32Array(memory.buffer, layout.values, weights.values.length).set(weights.values);
}

function align(address: number): number {
  return Math.ceil(address / SLACK) * SLACK;
}

/** Out of base64, in Node and in a browser. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The kernel with enough memory. */
function ready(bytes: number): Kernel {
  module ??= new WebAssembly.Module(bytesOf(RESAMPLE));
  kernel ??= new WebAssembly.Instance(module).exports as Kernel;
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE));
  return kernel;
}

function release(): void {
  if (kernel && kernel.memory.buffer.byteLength > KEPT) kernel = undefined;
}
