/** What ONNX Runtime's profile says of the kernels of some runs: operator, provider, time, arithmetic, bytes, GPU programs. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Multiplications and additions of one kernel, from the shapes that it was given and that it made. */
const FLOPS = {
  // Weights that are constants are not among the shapes: those of a training's graph only move values.
  Conv: ([, weight], [out]) => (weight ? 2 * product(out) * product(weight.slice(1)) : 0),
  ConvTranspose: ([x, weight]) => (weight ? 2 * product(x) * product(weight.slice(1)) : 0),
  Gemm: ([[rows, inner]], [out]) => 2 * product(out) * (product(out) / out.at(-1) === rows ? inner : rows),
  MatMul: ([a], [out]) => 2 * product(out) * a.at(-1),
  FusedMatMul: ([a], [out]) => 2 * product(out) * (product(a) / Math.max(1, product(out.slice(0, -1)))),
};

/** They move nothing. */
export const VIEWS = new Set(["Reshape", "Squeeze", "Unsqueeze", "Identity", "Flatten"]);

/**
 * Kernels in order of time, with the programs that a GPU was given for each (of a processor's none).
 *
 * @param run is given options of a session, which it has to end the profile of
 */
export async function profiled(run) {
  const folder = await mkdtemp(path.join(tmpdir(), "resnetc-kernels-"));
  try {
    await run({ enableProfiling: true, profileFilePrefix: path.join(folder, "run"), logSeverityLevel: 3 });
    const [file] = await readdir(folder);
    const events = JSON.parse(await readFile(path.join(folder, file), "utf8"));
    const programs = new Map();
    for (const { cat, name, dur } of events) {
      if (cat !== "Api") continue;
      const node = name.split("&", 1)[0];
      const known = programs.get(node) ?? { count: 0, microseconds: 0 };
      programs.set(node, { count: known.count + 1, microseconds: known.microseconds + dur });
    }
    const nodes = events.filter(({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time"));
    const runs = new Map();
    for (const { name } of nodes) runs.set(name, (runs.get(name) ?? 0) + 1);
    return nodes.map((event) => kernelOf(event, programs, runs.get(event.name)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function kernelOf({ name, dur, args }, programs, runs) {
  const shapes = (list) => list.map((each) => Object.values(each)[0]);
  const [given, made] = [shapes(args.input_type_shape), shapes(args.output_type_shape)];
  const sizes = [args.activation_size, args.parameter_size, args.output_size].map(Number);
  const onGpu = programs.get(name.slice(0, -"_kernel_time".length));
  return {
    op: args.op_name,
    provider: args.provider,
    seconds: (onGpu ? onGpu.microseconds / runs : dur) / 1e6,
    programs: onGpu ? onGpu.count / runs : 0,
    flops: FLOPS[args.op_name]?.(given, made) ?? 0,
    bytes: VIEWS.has(args.op_name) ? 0 : sizes.reduce((a, b) => a + b, 0),
  };
}

/** Kernels by operator. */
export function byOperator(kernels) {
  const groups = new Map();
  for (const each of kernels) groups.set(each.op, [...(groups.get(each.op) ?? []), each]);
  return groups;
}

/** A sum over kernels. */
export function total(kernels, field) {
  return kernels.reduce((sum, each) => sum + each[field], 0);
}

function product(shape) {
  return shape.reduce((all, size) => all * size, 1);
}
