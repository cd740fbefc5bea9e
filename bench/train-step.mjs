// Training steps beside PyTorch's, on the same machine with as many threads, in turn.
//
//     npm run build
//     node bench/train-step.mjs [cifar20|resnet18|resnet50|fpn] [--threads 2] [--rounds 9] [--python /usr/bin/python3]
//
// Each round makes one step here and one of PyTorch in either memory layout, of which the faster one counts. A ratio
// above 1 means that ours is faster. On a machine that does other things too, the time that processors spent says more
// than the time that passed, and with one thread both libraries spend it on nothing but their work.
import { parseArgs } from "node:util";
import { machineBlockSize } from "../dist/runtime/onnx/blocked-layout.js";
import { NETWORKS, openStep } from "./our-step.mjs";
import { startPeer } from "./peer.mjs";
import { comparison, LAYOUTS } from "./timing.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "9" },
    python: { type: "string", default: "/usr/bin/python3" },
    plain: { type: "boolean", default: false },
  },
});
const [threads, rounds] = [Number(options.threads), Number(options.rounds)];
const blockSize = options.plain ? 0 : await machineBlockSize();
const names = positionals.length > 0 ? positionals : Object.keys(NETWORKS);
console.log(`${threads} threads, blocks of ${blockSize} channels; ratio: PyTorch's time through ours`);
for (const name of names) await compare(name, NETWORKS[name]);

async function compare(name, network) {
  const ours = await openStep(network, { threads, blockSize });
  const theirs = await startPeer(options.python, "train_step.py", [name, String(network.batch), String(threads)]);
  const times = { ours: [], contiguous: [], channels_last: [] };
  for (let round = -2; round < rounds; round++) {
    for (const [who, list] of Object.entries(times)) {
      const time = who === "ours" ? await ours.step() : await theirs.step(who);
      if (round >= 0) list.push(time);
    }
  }
  theirs.close();
  await ours.close();
  for (const kind of ["passed", "spent"]) {
    const { rate, ratio, fastest } = comparison(times, kind);
    const best = fastest(LAYOUTS);
    console.log(
      `${name}, batch ${network.batch}, time ${kind}: ours ${rate("ours", network.batch)} images/s, ` +
        `PyTorch ${rate(best, network.batch)} (${best}); ratio ${ratio(best, "ours")}`,
    );
  }
}
