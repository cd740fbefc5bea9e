/** ONNX Runtime's record of where time went, and the way from its kernels back to the nodes of the model. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ModelInfo, NodeInfo } from "./model-info.js";

/** One kernel's executions, in order of time. */
export interface KernelTimes {
  /** The name that ONNX Runtime gives the node after its own optimisations. */
  readonly name: string;
  /** The operator after those: `Conv`, `FusedConv`, `ReorderOutput`. */
  readonly op: string;
  /** Where it ran: `CPUExecutionProvider`, `WebGpuExecutionProvider`, `CUDAExecutionProvider`. */
  readonly provider: string;
  /** Position of the node in the model, or beyond the last for nodes that the optimiser added. */
  readonly index: number;
  readonly microseconds: readonly number[];
}

/** Times of all kernels over some runs. */
export interface Profile {
  /** Runs of the session while it recorded. */
  readonly runs: number;
  readonly kernels: readonly KernelTimes[];
}

/** A record that is being made. */
export interface OpenProfile {
  readonly prefix: string;
  read(): Promise<Profile>;
  discard(): Promise<void>;
}

/** A folder of its own for the record, which the session that profiles removes when it closes. */
export async function openProfile(): Promise<OpenProfile> {
  const folder = await mkdtemp(path.join(tmpdir(), "resnetc-profile-"));
  return {
    prefix: path.join(folder, "run"),
    async read() {
      // A session that could not be opened as asked, and was opened otherwise, leaves an empty record.
      const files = (await readdir(folder)).filter((name) => name.endsWith(".json"));
      const profiles = await Promise.all(
        files.map(async (name) => parseProfile(await readFile(path.join(folder, name), "utf8"))),
      );
      return profiles.reduce((most, profile) => (profile.runs > most.runs ? profile : most), { runs: 0, kernels: [] });
    },
    discard: () => rm(folder, { recursive: true, force: true }),
  };
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string; readonly provider?: string; readonly node_index?: string };
}

const KERNEL_TIME = "_kernel_time";

/**
 * Reads the Chrome trace that ONNX Runtime writes.
 *
 * A kernel of WebGPU has two records: the time that the processor took to enqueue it (`Node`), and the time that it
 * took on the GPU (`Api`, named `node&operator&program`, one for each program). The latter is what counts.
 */
export function parseProfile(json: string): Profile {
  const events = JSON.parse(json) as readonly TraceEvent[];
  const kernels = new Map<string, { name: string; op: string; provider: string; index: number; times: number[] }>();
  const onGpu = new Map<string, number[]>();
  let runs = 0;
  for (const { cat, name, dur, args } of events) {
    if (cat === "Session" && name === "model_run") runs++;
    if (cat === "Api") {
      const node = name.split("&", 1)[0]!;
      onGpu.set(node, [...(onGpu.get(node) ?? []), dur]);
    }
    if (cat !== "Node" || !name.endsWith(KERNEL_TIME)) continue;
    const kernel = {
      name: name.slice(0, -KERNEL_TIME.length),
      op: args.op_name ?? "",
      provider: args.provider ?? "",
      index: Number(args.node_index ?? -1),
    };
    const key = `${kernel.index} ${kernel.name}`;
    const known = kernels.get(key);
    if (known) known.times.push(dur);
    else kernels.set(key, { ...kernel, times: [dur] });
  }
  return {
    runs,
    kernels: [...kernels.values()].map(({ times, ...kernel }) => ({
      ...kernel,
      microseconds: perRun(onGpu.get(kernel.name), times.length) ?? times,
    })),
  };
}

/** Sums the programs of each execution; undefined where the GPU recorded nothing that divides evenly. */
function perRun(times: readonly number[] | undefined, executions: number): number[] | undefined {
  if (times === undefined || times.length % executions !== 0) return undefined;
  const programs = times.length / executions;
  return Array.from({ length: executions }, (_, i) =>
    times.slice(i * programs, (i + 1) * programs).reduce((sum, time) => sum + time, 0),
  );
}

/**
 * Gives the function that finds the node of the model that a kernel computes; undefined for what ONNX Runtime added
 * itself (changes of layout).
 *
 * Its optimiser keeps names with a suffix (`conv1.conv_token_1`), or names the kernel after a tensor
 * (`conv1.relu_nchwc`: a convolution with the ReLU after it fused in). From that tensor we walk back to the node whose
 * operator the kernel has: time belongs to the convolution and not to the ReLU.
 */
export function kernelLocator(info: ModelInfo): (kernel: KernelTimes) => NodeInfo | undefined {
  const byName = new Map(info.nodes.filter((node) => node.name !== "").map((node) => [node.name, node]));
  const byOutput = new Map(info.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  // Constants become initializers before nodes are counted.
  const byIndex = info.nodes.filter((node) => node.op !== "Constant");

  const walkBack = (tensor: string, op: string): NodeInfo | undefined => {
    const producer = byOutput.get(tensor);
    let node = producer;
    // A fusion takes in a few elementwise nodes, each of whose first producers is on the way back.
    for (let step = 0; node !== undefined && step < FUSED_AT_MOST; step++) {
      if (sameOperator(node.op, op)) return node;
      node = node.inputs.map((input) => byOutput.get(input)).find((source) => source !== undefined);
    }
    return producer;
  };

  return ({ name, op, index }) => {
    for (const plain of [name, name.replace(ADDED_TO_NAME, "")]) {
      const node = byName.get(plain);
      if (node !== undefined) return node;
    }
    if (name.endsWith("_nchwc")) return walkBack(name.slice(0, -"_nchwc".length), op);
    const node = byIndex[index];
    return node !== undefined && node.name === "" && sameOperator(node.op, op) ? node : undefined;
  };
}

const FUSED_AT_MOST = 4;
/** What the optimiser puts round a node's name when it replaces the node. */
const ADDED_TO_NAME = /^fused |(?:_token_\d+|\/(?:MatMulAddFusion|GemmActivationFusion|DivMulFusion)[/\w]*)$/g;

/** `FusedConv` is a `Conv`. */
function sameOperator(ours: string, kernel: string): boolean {
  return ours === kernel || `Fused${ours}` === kernel;
}
