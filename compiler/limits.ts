/**
 * What a source may ask for. No network comes near; a slip such as `x 1e9`, or a text made to harm, ends with an error in
 * place of the machine's time and memory. docs/language.md states them, and a test compares.
 */
export const LIMITS = {
  /**
   * Steps of elaboration for each file that is checked, what it imports included: about a microsecond each. A layer is
   * 12 of them, a statement or a part of an expression one or two.
   */
  steps: 600_000,
  /** Of one network. */
  layers: 20_000,
  /** Elements of a list, those of lists inside counted every time that they occur. */
  listElements: 100_000,
  /** Lists inside one another. */
  listDepth: 64,
  /** Characters of a string. */
  stringLength: 100_000,
  /** Blocks and networks inside one another, and names that stand for others. */
  nesting: 64,
  /** Expressions, bodies and constants that are being evaluated inside one another. */
  evaluationDepth: 400,
  /** Elements of a tensor, for one image: what a signed 32-bit index reaches. */
  tensorElements: 2 ** 31 - 1,
  /** Elements of one parameter: 2 GiB in fp32, which every file, hash and array takes in one piece. */
  parameterElements: 2 ** 29 - 1,
  /** Parameters of a network: 17 GB in fp32. */
  parameters: 2 ** 32,
  /** Problems that are kept of one file; the others are counted. */
  problemsPerFile: 200,
  /** The same of all files together. */
  problems: 5_000,
} as const;
