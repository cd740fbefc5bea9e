import { dropping } from "./dropping.js";

export const dropout = dropping({
  name: "dropout",
  doc: "Zeroes values with the given probability while training and scales up the others; the identity afterwards.",
  what: "values",
  chances: (shape) => shape,
});
