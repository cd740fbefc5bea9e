/** Operators that only differentiation makes, in the formulation that suits the device (`algorithm`). */
import type { Operator } from "../operator.js";
import { bnTrain, bnTrainGradient } from "./bn_train.js";
import { convInputGradient } from "./conv_input_gradient.js";
import { convWeightGradient } from "./conv_weight_gradient.js";
import { dilate } from "./dilate.js";
import { maxPoolGradient } from "./max_pool_gradient.js";
import { normOffsetGradient, normScaleGradient, normSpread, normTrain, normTrainGradient } from "./norm_train.js";
import { reluGradient } from "./relu_gradient.js";
import { runningAverage } from "./running_average.js";
import { scatterWindows, windows } from "./windows.js";

export const GRADIENT_OPERATORS: readonly Operator[] = [
  ...[convInputGradient, convWeightGradient, bnTrain, bnTrainGradient, runningAverage],
  ...[normTrain, normTrainGradient, normSpread, normScaleGradient, normOffsetGradient],
  ...[reluGradient, maxPoolGradient, windows, scatterWindows, dilate],
];
