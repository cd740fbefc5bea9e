/** Every code a diagnostic can have. docs/errors.md explains each with an example that triggers it; a test compares. */
/** How serious a diagnostic is: with an error there is no model. */
export type Severity = "error" | "warning";

/** What a code is: how serious, and in a few words. */
export interface CodeInfo {
  readonly severity: Severity;
  /** What the code means, for tables and `resnetc explain`. */
  readonly summary: string;
}

const error = (summary: string): CodeInfo => ({ severity: "error", summary });
const warning = (summary: string): CodeInfo => ({ severity: "warning", summary });

/** The codes, each with its severity and a summary. */
export const CODES = {
  // Text
  "syntax-error": error("the text does not follow the grammar"),
  "unexpected-character": error("a character that no token begins with"),
  "unterminated-string": error("a string without its closing quote"),
  "bad-escape": error("an escape in a string that does not exist"),
  "nesting-too-deep": error("more brackets or braces inside one another than any network needs"),
  // Names
  "unknown-name": error("a name that nothing declares here"),
  "unknown-argument": error("an argument that the layer, block or function does not have"),
  "unknown-member": error("a member that the value does not have"),
  "duplicate-name": error("a name declared twice in one place"),
  "reserved-name": error("a name that is a layer's word"),
  "unknown-import": error("an imported name that the file does not declare"),
  "import-not-found": error("an imported file that does not exist"),
  "unused-import": warning("an import that nothing uses"),
  "unused-name": warning("a parameter or `let` that nothing uses"),
  "shadowed-name": warning("a `let` called like a parameter, import or value that is known there already"),
  // Values
  "missing-argument": error("an argument without a default that is not given"),
  "too-many-arguments": error("more arguments than there are parameters"),
  "duplicate-argument": error("an argument given twice"),
  "wrong-type": error("a value of another kind than is needed"),
  "out-of-range": error("a number, index or word outside what is allowed"),
  "probable-slip": warning("a value that is allowed, but read otherwise than it looks"),
  "division-by-zero": error("a division by zero"),
  "assertion-failed": error("an `assert` whose condition is false"),
  "endless-definition": error("a declaration that needs itself"),
  "too-large": error("a network beyond the size that the compiler accepts"),
  // Structure
  "misplaced-statement": error("a statement where it can't stand"),
  "missing-input": error("a network without `input`"),
  "empty-network": error("a network without layers"),
  "missing-detect": error("a detector without `detect`"),
  "unused-detections": error("what a detector detects but doesn't give"),
  "missing-body": error("a layer that needs braces after it, or more of them"),
  "unexpected-body": error("braces after something that takes none"),
  "not-a-layer": error("a value used as a statement that is no layer, block or tensor"),
  "wrong-declaration": error("a declaration of another kind than is needed"),
  "unused-stride": error("a stage's stride that no layer or block takes"),
  // Shapes
  "shape-mismatch": error("tensors joined whose shapes differ"),
  "invalid-shape": error("a layer that can't be applied to the shape that arrives"),
  "channel-mismatch": error(
    "images of other channels than the network takes, or numbers for another number of channels",
  ),
  // Name maps
  "bad-pattern": error("a pattern of a name map that can't be understood"),
  "unused-rename": warning("a rename of a name map that no layer or tensor of the network has use for"),
  // Recipes and name maps
  "conflicting-settings": error("settings that contradict each other"),
  "no-effect": warning("a setting of a recipe that changes nothing"),
  // Targets
  "unknown-target": error("a target that is neither a file nor a standard name"),
} as const satisfies Record<string, CodeInfo>;

/** One of {@link CODES}. */
export type Code = keyof typeof CODES;
