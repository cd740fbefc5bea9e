/** Operators on whole tensors, in which gradients and optimisers are written. */
import type { Operator } from "../operator.js";
import { ARITHMETIC } from "./arithmetic.js";
import { REDUCTIONS } from "./reductions.js";
import { SHAPE_OPERATORS } from "./shape.js";
import { VECTOR_OPERATORS } from "./vectors.js";

export const TENSOR_OPERATORS: readonly Operator[] = [
  ...[...ARITHMETIC, ...REDUCTIONS],
  ...[...SHAPE_OPERATORS, ...VECTOR_OPERATORS],
];
