/** A model to run: a `.onnx` file as it is, a target compiled in memory. */
import type { Model } from "../compiler/model.js";
import type { Device, DeviceRequest } from "../runtime/onnx/device.js";
import type { InputShape } from "./arguments.js";
import { InputFailure, UsageFailure } from "./failure.js";
import { loadModel } from "./target.js";
import { loadWeights, optionOf, WEIGHTS_CHOICES, type WeightsChoice } from "./weights.js";

export interface RunnableOptions extends WeightsChoice {
  readonly weights?: string;
  readonly input?: InputShape;
  readonly precision?: "fp32" | "fp16";
  /** A target is compiled for any height and width, whatever its source declares. */
  readonly anySize?: boolean;
  /** What it will run on: one is compiled for, several get what all of them run. */
  readonly device?: DeviceRequest | readonly DeviceRequest[];
}

/** Its path or its bytes. */
export async function runnable(target: string, options: RunnableOptions): Promise<string | Uint8Array> {
  if (target.endsWith(".onnx")) {
    const given = (["weights", ...WEIGHTS_CHOICES, "input", "precision"] as const).find(
      (name) => options[name] !== undefined,
    );
    if (given !== undefined) throw new UsageFailure(`${optionOf(given)} is for targets; ${target} is compiled already`);
    return target;
  }
  const declared = await loadModel(target, { input: options.input });
  const model =
    options.anySize && !options.input ? await loadModel(target, { input: openInput(declared), quiet: true }) : declared;
  const { lenient, newHead, stateDict, adaptInput, epsilon } = options;
  const choice = { lenient, newHead, stateDict, adaptInput, epsilon };
  const weights = options.weights === undefined ? undefined : await loadWeights(model, options.weights, choice);
  const device = await deviceFor(model, options.device);
  const { emitModel, modelBytes } = await import("../compiler/compile.js");
  try {
    const emitted = emitModel(weights?.model ?? model, {
      ...weights?.emit,
      ...(options.precision === undefined ? {} : { precision: options.precision }),
      device,
    });
    if (emitted.external) {
      throw new InputFailure(
        `${target} is too large to be compiled in memory: use resnetc compile -o ${model.name}.onnx`,
      );
    }
    return modelBytes(emitted).onnx;
  } finally {
    weights?.close();
  }
}

/** The one device that the model's operators are chosen for, where there is a choice. */
async function deviceFor(model: Model, device: RunnableOptions["device"] = []): Promise<"any" | Device> {
  const [only, ...others] = typeof device === "string" ? [device] : device;
  const { dependsOnDevice } = await import("../compiler/compile.js");
  if (!dependsOnDevice(model) || only === undefined || others.length > 0) return "any";
  const { chooseDevice } = await import("../runtime/onnx/device.js");
  return (await chooseDevice(only)).device;
}

/** `3xHxW` for a network that takes three channels, `1xHxW` for one. */
function openInput({ graph }: Model): InputShape {
  return [graph.inputs[0]!.value.type.shape[1] as number, "H", "W"];
}
