import { dropping } from "./dropping.js";

/** Stochastic depth (Huang et al., arXiv:1603.09382), torchvision's in its mode "row": last in a residual branch. */
export const dropPath = dropping({
  name: "drop_path",
  doc: "Zeroes whole examples with the given probability while training and scales up the others; the identity afterwards.",
  what: "examples",
  chances: (shape) => shape.map((size, axis) => (axis === 0 ? size : 1)),
});
