/** A compiled detector is one file that plain ONNX Runtime runs, in another process and with nothing of ours beside it. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { compile } from "../../compiler/index.js";
import { openSession } from "../../runtime/onnx/session.js";

/** Every kind of layer that a detector has, on a trunk that takes no time. Random heads find something of every class. */
const SOURCE = `import { basic } from "std/blocks"
import { projection_on_change } from "std/shortcuts"
import { detect, propose, refine } from "std/detection"
import { detectron2 } from "std/dialects"
import { proposal_head, siblings } from "std/detectors"

detector Small(classes = 3) {
  input image 3xHxW
  dialect detectron2
  shortcuts projection_on_change
  conv 3x3, 8, /2   bn   relu
  features = basic(16, /2)
  rpn = proposal_head(16, 6)
  regions = propose(rpn.objectness, rpn.deltas, [[16, 32]], [0.5, 1, 2], top: 500, nms: 0.7, keep: 50)
  head = shared {
    roi_align features, 6x6
    basic(32, /2)
    global_avg_pool
    siblings(classes, classes)
  }
  once = head on regions
  again = refine(regions, once.scores, once.deltas)
  twice = head on again
  all = concat_rows [regions, again]
  scores = concat_rows [once.scores, twice.scores]
  deltas = concat_rows [once.deltas, twice.deltas]
  detect(all, scores, deltas, nms: 0.5, vote: 0.5, keep: 20)
}`;

/** The whole program: feeds an image, and prints what comes out. */
const PROGRAM = `
  const [runtime, model] = process.argv.slice(2);
  const ort = await import(runtime);
  const { InferenceSession, Tensor } = ort.default ?? ort;
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const image = new Tensor("float32", Float32Array.from({ length: 3 * 64 * 96 }, (_, i) => Math.sin(i * i)), [1, 3, 64, 96]);
  const image_info = new Tensor("float32", new Float32Array(0), [0, 6]);
  const found = await session.run({ image, image_info });
  const plain = Object.entries(found).map(([name, { dims, data }]) => [name, { dims, data: Array.from(data, Number) }]);
  process.stdout.write(JSON.stringify(Object.fromEntries(plain)));
`;

type Found = Record<string, { dims: readonly number[]; data: readonly number[] }>;

it("plain ONNX Runtime finds the same, from the file alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "resnetc-test-"));
  try {
    const { onnx, diagnostics } = compile({ files: { "small.resnet": SOURCE }, entry: "small.resnet" }, { seed: 3 });
    expect(diagnostics).toEqual([]);
    await writeFile(join(folder, "small.onnx"), onnx!);
    await writeFile(join(folder, "run.mjs"), PROGRAM);
    const runtime = pathToFileURL(createRequire(import.meta.url).resolve("#onnxruntime")).href;
    const { stdout } = await promisify(execFile)(process.execPath, ["run.mjs", runtime, "small.onnx"], { cwd: folder });
    const found = JSON.parse(stdout) as Found;

    expect(await readdir(folder)).toEqual(["run.mjs", "small.onnx"]);
    const { dims } = found["boxes"]!;
    expect(dims[0]).toBeGreaterThan(5);
    expect(found["labels"]!.data.every((label) => label >= 0 && label < 3)).toBe(true);

    const session = await openSession(onnx!, { device: "cpu", threads: 1 });
    const image = {
      data: Float32Array.from({ length: 3 * 64 * 96 }, (_, i) => Math.sin(i * i)),
      shape: [1, 3, 64, 96],
    };
    const ours = await session.run({ image, image_info: { data: new Float32Array(), shape: [0, 6] } });
    await session.close();
    for (const [name, { shape, data }] of Object.entries(ours)) {
      expect(found[name]).toEqual({ dims: shape, data: Array.from(data, Number) });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
