/** The engine on Node's build of ONNX Runtime. */
import type { TrainingGraphs } from "../../compiler/training/graphs.js";
import { chooseDevice } from "../onnx/device.js";
import { loadRuntime } from "../onnx/onnxruntime.js";
import type { DividedEngine, EngineOptions } from "./engine.js";
import { GraphEngine } from "./graph-engine.js";

/** @throws {SessionError} */
export async function openDeviceEngine(graphs: TrainingGraphs, options: EngineOptions): Promise<DividedEngine> {
  const choice = await chooseDevice(options.device);
  const { InferenceSession, Tensor } = await loadRuntime();
  return new GraphEngine({ InferenceSession, Tensor, writesInto: true }, graphs, choice, options.threads);
}
