// What a training step asks of a GPU: kernels, programs that are dispatched for them, and bytes that they move.
//
//     npm run build
//     VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json node bench/dispatches.mjs [cifar20|resnet50|...] [--batch 2] [--size 64]
//
// With an adapter, in software too, one step runs on it, and ONNX Runtime's profile is what counts: a kernel may be several
// programs. Bytes are those of its tensors, read or written once, at that batch. `--tensors` holds the state tensor by tensor,
// as a processor's step does; `--graph` counts the operators that ONNX Runtime is given, at the network's own batch, and runs
// nothing. A view (Reshape) is a kernel that dispatches nothing.
import { parseArgs } from "node:util";
import { lowerGraph } from "../dist/compiler/emit/lower.js";
import { byOperator, profiled, total, VIEWS } from "./kernels.mjs";
import { NETWORKS, openStep, trainingOf } from "./our-step.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: "string" },
    size: { type: "string" },
    device: { type: "string", default: "webgpu" },
    precision: { type: "string", default: "fp32" },
    tensors: { type: "boolean", default: false },
    graph: { type: "boolean", default: false },
  },
});
const { device, precision } = options;
const how = { device, precision, ...(options.tensors && { held: "tensors" }) };
for (const name of positionals.length > 0 ? positionals : ["cifar20", "resnet50"]) {
  const network = {
    ...NETWORKS[name],
    ...(options.batch && { batch: Number(options.batch) }),
    ...(options.size && { size: Number(options.size) }),
  };
  if (options.graph) reportGraph(name, network);
  else await reportStep(name, network);
}

function reportGraph(name, network) {
  const { train } = trainingOf(network, how);
  const { nodes } = lowerGraph(train.graph, { opset: 17, sourceLine: () => "" });
  const kinds = byOperator(nodes.map(({ opType }) => ({ op: opType })));
  const views = nodes.filter(({ opType }) => VIEWS.has(opType)).length;
  console.log(
    `${name}, batch ${network.batch}, for ${device}: ${nodes.length} operators, ${nodes.length - views} without views`,
  );
  console.log(`  ${listed(kinds)}`);
}

async function reportStep(name, network) {
  const kernels = await profiled(async (session) => {
    const step = await openStep(network, { ...how, session });
    await step.step();
    await step.step();
    step.endProfiling();
    await step.close();
  });
  const own = kernels.slice(kernels.length / 2);
  const programs = total(own, "programs");
  const left = own.filter(({ provider }) => device !== "cpu" && provider === "CPUExecutionProvider");
  console.log(
    `${name}, batch ${network.batch}, on ${device}: ${own.length} kernels, ` +
      `${own.filter(({ op }) => !VIEWS.has(op)).length} without views` +
      (programs > 0 ? `, ${programs} programs` : "") +
      `, ${(total(own, "bytes") / 1e9).toFixed(2)} GB; ${left.length} on the processor`,
  );
  console.log(`  ${listed(byOperator(own))}`);
}

function listed(kinds) {
  return [...kinds]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([op, list]) => `${op} ${list.length}`)
    .join(", ");
}
