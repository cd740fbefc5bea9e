/** fp32 to fp16 (IEEE 754 binary16), rounded to nearest, ties to even, by the bits: a network has many millions. */

/**
 * The fp16 bits of each value. Beyond 65,504 rounds to infinity, NaN stays NaN.
 *
 * @param halves what they are written to
 */
export function halfBits(values: Float32Array, halves = new Uint16Array(values.length)): Uint16Array {
  const { base, shift, less } = (tables ??= makeTables());
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < bits.length; index += 1) {
    const each = bits[index]!;
    // Sign and exponent say all but the mantissa, so that numbers of all sizes take one way: half of a network's would be
    // guessed wrong by the processor otherwise.
    const row = each >>> 23;
    const mantissa = each & 0x7fffff;
    const [by, from] = [shift[row]!, base[row]!];
    const odd = (from + (mantissa >>> by)) & 1;
    halves[index] =
      (row & 0xff) === 0xff && mantissa > 0 ? 0x7e00 | from : from + ((mantissa + less[row]! + odd) >>> by);
  }
  return halves;
}

/** By the nine bits of sign and exponent: what a number is without its mantissa, by how much that is shifted, and what is added before. */
interface Tables {
  readonly base: Uint16Array;
  readonly shift: Uint8Array;
  readonly less: Uint32Array;
}

let tables: Tables | undefined;

function makeTables(): Tables {
  const made: Tables = { base: new Uint16Array(512), shift: new Uint8Array(512), less: new Uint32Array(512) };
  for (let row = 0; row < 512; row += 1) {
    const sign = (row & 0x100) << 7;
    const exponent = (row & 0xff) - 127;
    const put = (base: number, shift: number, less: number): void => {
      made.base[row] = sign | base;
      made.shift[row] = shift;
      made.less[row] = less;
    };
    // Infinite, and too large: the mantissa says nothing.
    if (exponent > 15) put(0x7c00, 24, 0);
    // Normal: 13 bits are rounded away. A carry out of the mantissa raises the exponent, at the top to infinity, as it should.
    else if (exponent >= -14) put((exponent + 15) << 10, 13, 0xfff);
    // A whole number of 2^-24, of which the leading one is a bit.
    else if (exponent >= -24) put(0x400 >> (-14 - exponent), -1 - exponent, 2 ** (-2 - exponent) - 1);
    // Halfway between 0 and 2^-24, which is even, and above it.
    else if (exponent === -25) put(0, 24, 0xffffff);
    else put(0, 24, 0);
  }
  return made;
}
