/** What training makes small: words that stand beside the flow, and the operators that they are written with. */
import type { Operator } from "../operator.js";
import { BINARY_CROSS_ENTROPY } from "./binary_cross_entropy.js";
import { crossEntropy, crossEntropyGradient, oneHot } from "./cross_entropy.js";
import { FOCAL } from "./focal.js";
import { total, weightedSum } from "./loss.js";
import { SMOOTH_L1 } from "./smooth_l1.js";

export const LOSS_OPERATORS: readonly Operator[] = [
  ...[crossEntropy, crossEntropyGradient],
  ...[...BINARY_CROSS_ENTROPY, ...FOCAL, ...SMOOTH_L1],
  ...[weightedSum, oneHot, total],
];
