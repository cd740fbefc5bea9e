import { getFloat16, setFloat16 } from "@petamoriken/float16";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { halfBits } from "../../../compiler/emit/float16.js";

const view = new DataView(new ArrayBuffer(2));

function expected(value: number): number {
  setFloat16(view, 0, value);
  return view.getUint16(0);
}

function fromBits(bits: number): number {
  view.setUint16(0, bits);
  return getFloat16(view, 0);
}

describe("halfBits", () => {
  it("gives back every fp16 value, and rounds the middles between neighbours to even", () => {
    const finite = Array.from({ length: 0x7c00 }, (_, bits) => bits);
    const values = finite.map(fromBits);
    expect([...halfBits(Float32Array.from(values))]).toEqual(finite);
    const middles = values.map(
      (value, bits) => (value + (fromBits(bits + 1) === Infinity ? 65536 : fromBits(bits + 1))) / 2,
    );
    expect([...halfBits(Float32Array.from(middles))]).toEqual(middles.map(expected));
    expect([...halfBits(Float32Array.from(middles, (value) => -value))]).toEqual(
      middles.map((value) => expected(-value)),
    );
  });

  it("is what a library that we did not write gives for any bits", () => {
    const random = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 100, maxLength: 100 });
    fc.assert(
      fc.property(random, (bits) => {
        const values = new Float32Array(Uint32Array.from(bits).buffer);
        const numbers = values.filter((value) => !Number.isNaN(value));
        expect([...halfBits(numbers)]).toEqual([...numbers].map(expected));
      }),
    );
    expect(fromBits(halfBits(Float32Array.of(NaN))[0]!)).toBeNaN();
  });
});
