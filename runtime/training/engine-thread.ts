/** The thread in which a {@link RemoteEngine}'s engine works; started by remote-engine.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { openDeviceEngine } from "./device-engine.js";
import type { DividedEngine } from "./engine.js";
import { wholeBuffer, type EngineData, type EngineReply, type EngineRequest } from "./remote-engine.js";

const port = parentPort!;
const { graphs, options } = workerData as EngineData;
let engine: DividedEngine | undefined;

async function answer({ id, method, parameters }: EngineRequest): Promise<void> {
  let reply: EngineReply;
  try {
    engine ??= await openDeviceEngine(graphs, options);
    const call = engine[method] as (...given: unknown[]) => Promise<unknown>;
    const value: unknown = await call.apply(engine, [...parameters]);
    reply = { id, value, deviceReason: engine.deviceReason, device: engine.device };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    reply = { id, error: { name, message, ...(stack !== undefined && { stack }) } };
  }
  port.postMessage(reply, "value" in reply ? wholeBuffer(reply.value) : []);
  if (method === "close") port.close();
}

port.on("message", (request: EngineRequest) => void answer(request));
