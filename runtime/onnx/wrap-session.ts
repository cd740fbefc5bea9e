/** A session of ONNX Runtime as ours: its tensors in and out are plain values. */
import type { InferenceSession, Tensor } from "#onnxruntime";
import type { Device } from "../../compiler/device.js";
import type { Ort } from "./create.js";
import { toFloat16, toFloat32 } from "./float16.js";
import type { OpenProfile } from "./profile.js";
import type { TensorSpec } from "./read-model.js";
import { readable } from "./readable.js";
import { SessionError } from "./session-error.js";
import type { Session, Values } from "./session-types.js";

/** What is known of a session. */
export interface Opened {
  readonly name: string;
  readonly device: Device;
  readonly deviceReason: string;
  readonly profile: OpenProfile | undefined;
}

export function wrapSession(runtime: Ort, session: InferenceSession, opened: Opened): Session {
  const inputs = session.inputMetadata.map(spec);
  const outputs = session.outputMetadata.map(spec);
  const outputNames = outputs.map((output) => output.name);
  let closed = false;
  let recording = opened.profile !== undefined;

  const endRecording = (): void => {
    if (recording) session.endProfiling();
    recording = false;
  };
  const toTensor = (feed: string, values: Values): Tensor => {
    const type = inputs.find((input) => input.name === feed)?.type;
    if (type === undefined) {
      const names = inputs.map((input) => input.name).join(", ");
      throw new SessionError(`${opened.name}: no input is called ${feed} (inputs: ${names})`);
    }
    return tensorOf(runtime, type, values);
  };

  return {
    name: opened.name,
    device: opened.device,
    deviceReason: opened.deviceReason,
    inputs,
    outputs,
    async run(feeds, wanted = outputNames) {
      if (closed) throw new SessionError(`${opened.name}: the session is closed`);
      const tensors = Object.fromEntries(Object.entries(feeds).map(([feed, values]) => [feed, toTensor(feed, values)]));
      try {
        const results = await session.run(tensors, [...wanted]);
        return Object.fromEntries(wanted.map((output) => [output, take(results[output] as Tensor)]));
      } catch (error) {
        throw new SessionError(`${opened.name}: ${readable(error)}`, { cause: error });
      } finally {
        for (const tensor of Object.values(tensors)) tensor.dispose();
      }
    },
    async profile() {
      if (opened.profile === undefined) throw new SessionError(`${opened.name}: opened without profile`);
      endRecording();
      return opened.profile.read();
    },
    async close() {
      if (closed) return;
      closed = true;
      endRecording();
      await session.release();
      await opened.profile?.discard();
    },
  };
}

function spec(value: InferenceSession.ValueMetadata): TensorSpec {
  return value.isTensor
    ? { name: value.name, type: value.type, shape: [...value.shape] }
    : { name: value.name, type: "other", shape: [] };
}

function tensorOf(runtime: Ort, type: string, { data, shape }: Values): Tensor {
  if (type === "float16" && data instanceof Float32Array) return new runtime.Tensor("float16", toFloat16(data), shape);
  if (data instanceof Float32Array) return new runtime.Tensor("float32", data, shape);
  if (data instanceof BigInt64Array) return new runtime.Tensor("int64", data, shape);
  if (data instanceof Int32Array) return new runtime.Tensor("int32", data, shape);
  return new runtime.Tensor(type === "bool" ? "bool" : "uint8", data, shape);
}

/** The values of an output; the tensor is disposed of, which frees what it holds outside of JavaScript. */
function take(tensor: Tensor): Values {
  const shape = [...tensor.dims];
  const data = tensor.type === "float16" ? toFloat32(tensor.data as Uint16Array) : (tensor.data as Values["data"]);
  tensor.dispose();
  return { data, shape };
}
