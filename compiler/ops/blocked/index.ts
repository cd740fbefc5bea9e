/** Operators on maps in ONNX Runtime's blocked layout (layout.ts): made by compiler/passes/block-layout.ts. */
import type { Operator } from "../operator.js";
import { blockedBnTrain, blockedBnTrainGradient } from "./bn.js";
import { blockedConv, blockedConvInputGradient } from "./conv.js";
import { blockedDilate } from "./dilate.js";
import { fromBlocks, toBlocks } from "./layout.js";
import { blockedMaxPool } from "./max_pool.js";
import { blockedMaxPoolGradient } from "./max_pool_gradient.js";
import { blockedConvWeightGradient } from "./weight_gradient.js";

export const BLOCKED_OPERATORS: readonly Operator[] = [
  ...[toBlocks, fromBlocks],
  ...[blockedConv, blockedConvInputGradient, blockedConvWeightGradient],
  ...[blockedBnTrain, blockedBnTrainGradient, blockedDilate],
  ...[blockedMaxPool, blockedMaxPoolGradient],
];
