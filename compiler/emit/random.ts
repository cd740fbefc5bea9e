/**
 * Random numbers that are the same on every machine: integer arithmetic, and floating-point operations that IEEE 754
 * rounds exactly (+ - * / and the square root), since Math.log and Math.cos may differ between engines.
 */

/** Numbers in [0, 1) with 32 random bits. */
export type Random = () => number;

/** A stream of its own for every text: xoshiro128** (Blackman and Vigna 2018), its state hashed from the text. */
export function randomStream(text: string): Random {
  let [a, b, c, d] = hash128(text);
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return (result >>> 0) / 4294967296;
  };
}

/** Fills with a normal distribution of mean 0 (Marsaglia's polar method). */
export function fillNormal(out: Float32Array, std: number, random: Random): void {
  for (let index = 0; index < out.length; index += 2) {
    let x: number;
    let y: number;
    let square: number;
    do {
      x = 2 * random() - 1;
      y = 2 * random() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = std * Math.sqrt((-2 * logarithm(square)) / square);
    out[index] = x * factor;
    if (index + 1 < out.length) out[index + 1] = y * factor;
  }
}

/** Fills with a uniform distribution over [-bound, bound). */
export function fillUniform(out: Float32Array, bound: number, random: Random): void {
  for (let index = 0; index < out.length; index += 1) out[index] = bound * (2 * random() - 1);
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
/** Which of the two words has sign and exponent. */
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** The natural logarithm of a normal positive number, to about 1e-15, by exactly rounded operations alone. */
export function logarithm(x: number): number {
  // x = m * 2^exponent with m in [sqrt(1/2), sqrt(2)).
  double[0] = x;
  let exponent = (words[HIGH]! >>> 20) - 1023;
  words[HIGH] = (words[HIGH]! & 0x000fffff) | 0x3ff00000;
  let m = double[0];
  if (m > Math.SQRT2) {
    m /= 2;
    exponent += 1;
  }
  // log m = 2 artanh f = 2 (f + f^3/3 + f^5/5 + ...), f = (m - 1) / (m + 1), at most 0.172.
  const f = (m - 1) / (m + 1);
  const square = f * f;
  let series = 1 / 21;
  series = series * square + 1 / 19;
  series = series * square + 1 / 17;
  series = series * square + 1 / 15;
  series = series * square + 1 / 13;
  series = series * square + 1 / 11;
  series = series * square + 1 / 9;
  series = series * square + 1 / 7;
  series = series * square + 1 / 5;
  series = series * square + 1 / 3;
  series = series * square + 1;
  return 2 * f * series + exponent * Math.LN2;
}

/** FNV-1a over UTF-16 code units with four offsets, each mixed by MurmurHash3's finaliser. */
function hash128(text: string): [number, number, number, number] {
  const lane = (offset: number): number => {
    let hash = 0x811c9dc5 ^ offset;
    for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) | 0;
  };
  return [lane(0x9e3779b9), lane(0x243f6a88), lane(0xb7e15162), lane(0x3c6ef372)];
}
