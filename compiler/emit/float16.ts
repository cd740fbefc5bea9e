/** fp32 to fp16 (IEEE 754 binary16), rounded to nearest, ties to even, by the bits: a network has many millions. */

/** The fp16 bits of each value. Beyond 65,504 rounds to infinity, NaN stays NaN. */
export function halfBits(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < bits.length; index += 1) halves[index] = half(bits[index]!);
  return halves;
}

function half(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  // 2^-14 and above are normal: the exponent is rebased (127 to 15), 13 bits of the mantissa are rounded away. A carry
  // out of the mantissa raises the exponent, at the top to infinity, as it should.
  if (magnitude >= 0x38800000) return sign | Math.min(roundedShift(magnitude - 0x38000000, 13), 0x7c00);
  // Below 2^-25 is zero; between, the mantissa with its leading one is a whole number of 2^-24.
  if (magnitude < 0x33000000) return sign;
  return sign | roundedShift((magnitude & 0x7fffff) | 0x800000, 126 - (magnitude >>> 23));
}

/** value / 2^shift, ties to even. */
function roundedShift(value: number, shift: number): number {
  const half = 1 << (shift - 1);
  const odd = (value >>> shift) & 1;
  return (value + half - 1 + odd) >>> shift;
}
