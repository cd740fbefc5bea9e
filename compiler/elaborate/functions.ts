/** The functions of expressions. Lists are flattened: `max([1, 2], 3)` is 3. */

interface BuiltInFunction {
  readonly doc: string;
  /** Fewest and most arguments after flattening. */
  readonly arity: readonly [number, number];
  readonly apply: (...values: number[]) => number | string;
}

const one = (doc: string, apply: (value: number) => number | string): BuiltInFunction => ({
  doc,
  arity: [1, 1],
  apply,
});
const many = (doc: string, apply: (...values: number[]) => number): BuiltInFunction => ({
  doc,
  arity: [1, 1e6],
  apply,
});

export const FUNCTIONS: Readonly<Record<string, BuiltInFunction>> = {
  floor: one("Largest whole number not above.", Math.floor),
  ceil: one("Smallest whole number not below.", Math.ceil),
  round: one("Nearest whole number, halves up.", Math.round),
  abs: one("Without its sign.", Math.abs),
  sqrt: one("Square root.", Math.sqrt),
  log2: one("Logarithm to base 2.", Math.log2),
  text: one('The number as a string: `text(3)` is "3".', String),
  min: many("Smallest.", (...values) => values.reduce((a, b) => Math.min(a, b))),
  max: many("Largest.", (...values) => values.reduce((a, b) => Math.max(a, b))),
  sum: {
    doc: "Sum of a list; 0 for an empty one.",
    arity: [0, 1e6],
    apply: (...values) => values.reduce((a, b) => a + b, 0),
  },
  len: { doc: "Number of elements of a list.", arity: [0, 1e6], apply: (...values) => values.length },
};
