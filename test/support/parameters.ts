/** Parameters without a network, for tests of what matches them with files. */
import type { Initializer, Parameter } from "../../compiler/ir/types.js";

const ROLES: Readonly<Record<string, Parameter["role"]>> = {
  running_mean: "running_mean",
  running_var: "running_var",
};
const NOTHING: Initializer = { kind: "constant", value: 0 };

let nextId = -1;

/** `bn*` layers have scales and offsets, others weights and biases. */
export function parameter(path: string, ...shape: readonly number[]): Parameter {
  const [layer = "", name = ""] = path.split(".").slice(-2);
  const normalises = layer.startsWith("bn");
  const role = ROLES[name] ?? (name === "bias" ? (normalises ? "offset" : "bias") : normalises ? "scale" : "weight");
  return {
    value: { id: nextId--, name: path, type: { dtype: "float32", shape } },
    path,
    role,
    trainable: !(name in ROLES),
    init: NOTHING,
  };
}

export function batchNorm(path: string, channels: number): Parameter[] {
  return ["weight", "bias", "running_mean", "running_var"].map((name) => parameter(`${path}.${name}`, channels));
}
