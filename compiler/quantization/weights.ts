/** Parameters as whole numbers: weights by output channel, biases in the scale of the products that they are added to. */
import { roundHalfEven } from "../rounding.js";
import { tensor } from "../ir/build.js";
import type { DataType, Derivation, Parameter } from "../ir/types.js";
import { parameter } from "../ops/node.js";
import { symmetricScale } from "./scale.js";

export interface QuantizedParameter {
  readonly numbers: Parameter;
  /** One for each output channel, [K]. */
  readonly scale: Parameter;
}

/** int8, symmetric, a scale for each output channel, which is the first axis. */
export function quantizedWeight(weight: Parameter): QuantizedParameter {
  const channels = weight.value.type.shape[0] as number;
  const scale = derived(weight, `${weight.path}_scale`, [channels], "float32", {
    from: [weight],
    compute: (values) => scalesOf(values, channels),
  });
  const numbers = derived(weight, `${weight.path}_int8`, weight.value.type.shape as number[], "int8", {
    from: [weight],
    compute(values) {
      const scales = scalesOf(values, channels);
      const each = values.length / channels;
      return values.map((value, index) => roundHalfEven(value / scales[Math.floor(index / each)]!));
    },
  });
  return { numbers, scale };
}

/** The largest whole number of int32 that fp32 holds. */
const LARGEST = 2 ** 31 - 128;

/** int32, in the scale of the input times that of the weight. @param path of the layer that adds it */
export function quantizedBias(
  bias: Parameter,
  weight: Parameter,
  inputScale: number,
  path: string,
): QuantizedParameter {
  const channels = bias.value.type.shape[0] as number;
  const products = (values: Float32Array): Float32Array =>
    scalesOf(values, channels).map((scale) => scale * inputScale);
  const scale = derived(bias, `${path}.bias_scale`, [channels], "float32", { from: [weight], compute: products });
  const numbers = derived(bias, `${path}.bias_int32`, [channels], "int32", {
    from: [bias, weight],
    compute(values, weights) {
      const scales = products(weights);
      return values.map((value, channel) =>
        Math.max(-LARGEST, Math.min(LARGEST, roundHalfEven(value / scales[channel]!))),
      );
    },
  });
  return { numbers, scale };
}

function scalesOf(values: Float32Array, channels: number): Float32Array {
  const each = values.length / channels;
  return Float32Array.from({ length: channels }, (_, channel) => {
    let magnitude = 0;
    for (let i = channel * each; i < (channel + 1) * each; i++) magnitude = Math.max(magnitude, Math.abs(values[i]!));
    return symmetricScale(magnitude);
  });
}

function derived(
  { role, init }: Parameter,
  path: string,
  shape: readonly number[],
  dtype: DataType,
  derivation: Derivation,
): Parameter {
  const made = parameter({ name: path, role, trainable: false, init, shape }, path, dtype);
  return { ...made, value: { ...made.value, type: tensor(shape, dtype) }, derived: derivation };
}
