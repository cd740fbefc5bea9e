import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  bindDim,
  bounds,
  ceilDiv,
  equalDims,
  evaluate,
  floorDiv,
  formatDim,
  formatShape,
  mul,
  sub,
  symbol,
  symbolsOf,
  unknownSize,
  type Dim,
} from "../../../compiler/ir/dim.js";

/** An expression beside the plain function that it should evaluate to. */
interface Case {
  readonly dim: Dim;
  readonly value: (symbols: Record<string, number>) => number;
}

const NAMES = ["H", "N", "W"] as const;

const cases: fc.Arbitrary<Case> = fc.letrec<{ tree: Case }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    fc.integer({ min: -20, max: 20 }).map((n): Case => ({ dim: n, value: () => n })),
    fc.constantFrom(...NAMES).map((name): Case => ({ dim: symbol(name), value: (symbols) => symbols[name]! })),
    fc
      .tuple(tie("tree"), tie("tree"))
      .map(([a, b]): Case => ({ dim: add(a.dim, b.dim), value: (s) => a.value(s) + b.value(s) })),
    fc
      .tuple(tie("tree"), tie("tree"))
      .map(([a, b]): Case => ({ dim: sub(a.dim, b.dim), value: (s) => a.value(s) - b.value(s) })),
    fc
      .tuple(tie("tree"), fc.integer({ min: -4, max: 4 }))
      .map(([a, n]): Case => ({ dim: mul(a.dim, n), value: (s) => a.value(s) * n + 0 })),
    fc
      .tuple(fc.constantFrom(...NAMES), tie("tree"))
      .map(([name, a]): Case => ({ dim: mul(symbol(name), a.dim), value: (s) => s[name]! * a.value(s) })),
    fc
      .tuple(tie("tree"), fc.integer({ min: 1, max: 6 }))
      .map(([a, n]): Case => ({ dim: floorDiv(a.dim, n), value: (s) => Math.floor(a.value(s) / n) })),
    fc
      .tuple(tie("tree"), fc.integer({ min: 1, max: 6 }))
      .map(([a, n]): Case => ({ dim: ceilDiv(a.dim, n), value: (s) => Math.ceil(a.value(s) / n) })),
  ),
})).tree;

const divisors = fc.integer({ min: 1, max: 7 });

const monomials = fc
  .tuple(fc.integer({ min: -20, max: 20 }), fc.array(fc.constantFrom(...NAMES), { maxLength: 2 }))
  .map(([factor, names]) => names.map(symbol).reduce<Dim>(mul, factor));
const polynomials = fc.array(monomials, { maxLength: 4 }).map((parts) => parts.reduce(add, 0));

const sizes = fc.record({
  H: fc.integer({ min: 1, max: 300 }),
  N: fc.integer({ min: 1, max: 9 }),
  W: fc.integer({ min: 1, max: 300 }),
});

describe("symbolic sizes", () => {
  it("evaluate to what the plain arithmetic gives", () => {
    fc.assert(
      fc.property(cases, sizes, ({ dim, value }, symbols) => {
        expect(evaluate(dim, symbols)).toBeCloseTo(value(symbols), 6);
      }),
      { numRuns: 500 },
    );
  });

  it("are bound one symbol at a time to the same end", () => {
    fc.assert(
      fc.property(cases, sizes, ({ dim }, symbols) => {
        const stepwise = NAMES.reduce<Dim>((bound, name) => bindDim(bound, { [name]: symbols[name] }), dim);
        expect(stepwise).toBe(evaluate(dim, symbols));
      }),
    );
  });

  it("lie within their bounds", () => {
    fc.assert(
      fc.property(cases, sizes, ({ dim, value }, symbols) => {
        const { min, max } = bounds(dim);
        expect(value(symbols)).toBeGreaterThanOrEqual(min);
        expect(value(symbols)).toBeLessThanOrEqual(max);
      }),
    );
  });

  it("are equal where they have the same form, and then have the same value", () => {
    fc.assert(
      fc.property(cases, cases, sizes, (a, b, symbols) => {
        if (equalDims(a.dim, b.dim)) expect(a.value(symbols)).toBeCloseTo(b.value(symbols), 6);
        expect(equalDims(add(a.dim, b.dim), add(b.dim, a.dim))).toBe(true);
        expect(equalDims(sub(add(a.dim, b.dim), b.dim), a.dim)).toBe(true);
        expect(equalDims(mul(add(a.dim, b.dim), 3), add(mul(b.dim, 3), mul(3, a.dim)))).toBe(true);
      }),
    );
  });

  it("fold the floors that strides make one after the other", () => {
    // Sums and products of symbols: with floors inside, some equal sizes keep forms of their own.
    fc.assert(
      fc.property(polynomials, divisors, divisors, divisors, (dim, l, m, n) => {
        expect(equalDims(floorDiv(floorDiv(dim, m), n), floorDiv(dim, m * n))).toBe(true);
        expect(equalDims(ceilDiv(ceilDiv(ceilDiv(dim, l), m), n), ceilDiv(dim, l * m * n))).toBe(true);
      }),
    );
  });

  it("leave out exact multiples", () => {
    fc.assert(
      fc.property(cases, divisors, divisors, ({ dim }, m, n) => {
        expect(equalDims(floorDiv(mul(dim, m), m), dim)).toBe(true);
        expect(equalDims(floorDiv(mul(dim, m), m * n), floorDiv(dim, n))).toBe(true);
      }),
    );
  });

  it("prove the sizes of the paper's strides equal however they are reached", () => {
    const H = symbol("H");
    // 7x7 /2 pad 3, then 3x3 /2 pad 1; and two subsamplings.
    const stem = add(floorDiv(add(H, 6 - 7), 2), 1);
    const pooled = add(floorDiv(add(stem, 2 - 3), 2), 1);
    expect(formatDim(stem)).toBe("floor((H+1)/2)");
    expect(formatDim(pooled)).toBe("floor((H+3)/4)");
    expect(equalDims(pooled, ceilDiv(ceilDiv(H, 2), 2))).toBe(true);
    expect(equalDims(stem, pooled)).toBe(false);
  });

  it("print as people write them", () => {
    const [N, H, W] = [symbol("N"), symbol("H"), symbol("W")];
    expect(formatShape([N, 64, H, floorDiv(W, 2)])).toBe("[N, 64, H, floor(W/2)]");
    expect(formatDim(mul(512, mul(H, W)))).toBe("512*H*W");
    expect(formatDim(sub(mul(2, H), 6))).toBe("2*H-6");
    expect(formatDim(sub(3, H))).toBe("-H+3");
    expect(symbolsOf(mul(floorDiv(W, 2), add(H, W)))).toEqual(["H", "W"]);
  });

  it("keep sizes found at run time apart", () => {
    const [a, b] = [unknownSize("boxes"), unknownSize("boxes")];
    expect(equalDims(a, a)).toBe(true);
    expect(equalDims(a, b)).toBe(false);
    expect(evaluate(add(a, 1), { boxes: 4 })).toBe(5);
  });

  it("name what is not bound", () => {
    expect(() => evaluate(add(symbol("H"), 1), { W: 1 })).toThrow("H+1");
    expect(() => floorDiv(symbol("H"), 0)).toThrow(RangeError);
  });
});
