/** One process alone: nothing has to be connected. */
import os from "node:os";
import type { Ranks } from "./ranks.js";

export const SELF: Ranks = {
  rank: 0,
  size: 1,
  hosts: [os.hostname()],
  engine: "one process",
  traffic: { waited: 0, moved: 0, bytes: 0 },
  allreduce: async () => undefined,
  exchange: async (parts) => [...parts],
  gather: async (bytes) => [bytes],
  broadcast: async (bytes) => bytes ?? new Uint8Array(),
  barrier: async () => undefined,
  abort: (code) => process.exit(code),
  finalize: async () => undefined,
};
