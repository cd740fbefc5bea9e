/** Something that a recipe may not say, or says without effect: `no-effect` is a warning, the others are errors. */
export interface RecipeProblem {
  readonly code: "out-of-range" | "conflicting-settings" | "no-effect";
  /** The statement that it is about. */
  readonly word: string;
  /** The phase in which it stands, where it is about phases. */
  readonly phase?: string;
  readonly message: string;
  readonly help?: string;
}
