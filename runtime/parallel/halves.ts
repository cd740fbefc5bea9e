/** Sums over ranks whose numbers go over the network in half precision: half the bytes of an allreduce of float32. */
import { halfBits } from "../../compiler/emit/float16.js";
import { toFloat32 } from "../onnx/float16.js";
import { shareOf, type Ranks } from "./ranks.js";

/**
 * Adds the arrays of all ranks up, in place; all get the same numbers, bit by bit. Each rank adds up a part of them in float32: what
 * is rounded to fp16 are the numbers of each rank, once, and the sums, once. They are scaled by powers of two that follow from the
 * largest number of any rank, so that none becomes infinite; what is smaller than a thousand-millionth of it becomes 0. Numbers that
 * are not finite stay so.
 */
export async function sumAsHalves(ranks: Ranks, values: Float32Array): Promise<void> {
  const { size } = ranks;
  const largest = Float32Array.of(largestOf(values));
  await ranks.allreduce(largest, "max");
  const scale = scaleFor(largest[0]!);
  const places = Array.from({ length: size }, (_, rank) => shareOf(values.length, { rank, size }));
  const parts = places.map(({ first, count }) => toHalves(values.subarray(first, first + count), scale));
  const received = await ranks.exchange(parts.map(bytesOf));
  const own = new Float32Array(places[ranks.rank]!.count);
  for (const bytes of received) addHalves(own, halvesOf(bytes), 1 / scale);
  // As large as all of the largest together.
  const whole = scaleFor(largest[0]! * size);
  const sums = await ranks.gather(bytesOf(toHalves(own, whole)));
  sums.forEach((bytes, rank) => {
    const { first, count } = places[rank]!;
    const into = values.subarray(first, first + count);
    into.fill(0);
    addHalves(into, halvesOf(bytes), 1 / whole);
  });
}

/** Of the magnitudes; NaN counts as infinite. */
function largestOf(values: Float32Array): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) {
    const magnitude = Math.abs(values[at]!);
    if (!(magnitude <= largest)) largest = Number.isNaN(magnitude) ? Infinity : magnitude;
  }
  return largest;
}

/** The power of two that brings a number near the largest of fp16, 65,504, and not beyond. */
function scaleFor(largest: number): number {
  if (largest === 0 || !Number.isFinite(largest)) return 1;
  // Both it and its inverse are normal numbers of float32.
  return 2 ** Math.max(-126, Math.min(126, 14 - Math.floor(Math.log2(largest))));
}

/** Numbers that are scaled and rounded at a time: they stay in a processor's cache. */
const BLOCK = 8192;

function toHalves(values: Float32Array, scale: number): Uint16Array {
  const halves = new Uint16Array(values.length);
  const scaled = new Float32Array(BLOCK);
  for (let start = 0; start < values.length; start += BLOCK) {
    const size = Math.min(BLOCK, values.length - start);
    for (let at = 0; at < size; at++) scaled[at] = values[start + at]! * scale;
    halfBits(scaled.subarray(0, size), halves.subarray(start, start + size));
  }
  return halves;
}

function addHalves(sums: Float32Array, halves: Uint16Array, factor: number): void {
  const numbers = table();
  for (let at = 0; at < sums.length; at++) sums[at]! += numbers[halves[at]!]! * factor;
}

let known: Float32Array | undefined;

/** The number of every pattern of bits. */
function table(): Float32Array {
  return (known ??= toFloat32(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits)));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Bytes that need not begin at an even address. */
function halvesOf(bytes: Uint8Array): Uint16Array {
  const whole = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(whole.buffer, whole.byteOffset, whole.byteLength / 2);
}
