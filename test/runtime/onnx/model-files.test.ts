import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { elaborate } from "../../../compiler/analyze.js";
import { emitModel } from "../../../compiler/compile.js";
import { memoryHost } from "../../../compiler/host.js";
import { writeModel } from "../../../runtime/onnx/model-files.js";
import { readModelInfo } from "../../../runtime/onnx/model-info.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { startScript } from "../../support/run-in-node.js";
import { temporaryFolder } from "../../support/weight-files.js";

const SOURCE = `network Tiny {
  input image 3x8x8
  stage only { conv 3x3, 4   global_avg_pool   fc 2 }
}
`;
const model = elaborate({ file: "tiny.resnet" }, { host: memoryHost({ "tiny.resnet": SOURCE }) }).model!;
const apart = (seed: number) => (externalData: string) => emitModel(model, { seed, externalData });
const whole = (seed: number) => () => emitModel(model, { seed });

const root = temporaryFolder();
let folder: string;
let target: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(root, "models-"));
  target = path.join(folder, "tiny.onnx");
});
afterEach(() => vi.restoreAllMocks());

const names = () => fs.readdirSync(folder).sort();
const dataNames = () => names().filter((name) => name.endsWith(".data"));

/** What the model there says to one image: tells which weights it has. */
async function answer(file = target): Promise<number[]> {
  const session = await openSession(file, { device: "cpu" });
  try {
    const input = { data: Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)), shape: [1, 3, 8, 8] };
    const outputs = await session.run({ image: input });
    return [...(Object.values(outputs)[0]!.data as Float32Array)];
  } finally {
    await session.close();
  }
}

async function answerOf(seed: number): Promise<number[]> {
  const file = path.join(root, `seed-${seed}.onnx`);
  await writeModel(file, whole(seed));
  return answer(file);
}

test("weights beside a model are named by what is in them; those of the model that was there go", async () => {
  const first = await writeModel(target, apart(1));
  const again = await writeModel(target, apart(1));
  expect(again).toEqual(first);
  expect(path.basename(first[1]!.path)).toMatch(/^tiny\.onnx\.[0-9a-f]{12}\.data$/);
  expect(readModelInfo(target).externalData).toEqual([path.basename(first[1]!.path)]);
  expect(first.map(({ bytes }) => bytes)).toEqual(first.map((file) => fs.statSync(file.path).size));
  const second = await writeModel(target, apart(2));
  expect(names()).toEqual(["tiny.onnx", path.basename(second[1]!.path)]);
  expect(await answer()).toEqual(await answerOf(2));
  // And where the weights are in the model again.
  await writeModel(target, whole(3));
  expect(names()).toEqual(["tiny.onnx"]);
});

test("weights that another model in the folder refers to stay, and files that are none of ours", async () => {
  await writeModel(target, apart(1));
  fs.copyFileSync(target, path.join(folder, "copy.onnx"));
  fs.writeFileSync(path.join(folder, "tiny.onnx.data"), "somebody's");
  fs.writeFileSync(path.join(folder, "tiny.onnx.notes.data"), "somebody's");
  await writeModel(target, apart(2));
  expect(await answer(path.join(folder, "copy.onnx"))).toEqual(await answerOf(1));
  expect(dataNames()).toHaveLength(4);
});

test("weights under the plain name, as others write them, are removed with the model that refers to them", async () => {
  const emitted = emitModel(model, { seed: 1, externalData: "tiny.onnx.data" });
  fs.writeFileSync(target, Buffer.concat([...emitted.chunks]));
  fs.writeFileSync(path.join(folder, "tiny.onnx.data"), Buffer.concat([...emitted.external!.chunks]));
  expect(await answer()).toEqual(await answerOf(1));
  await writeModel(target, apart(2));
  expect(dataNames()).not.toContain("tiny.onnx.data");
  expect(await answer()).toEqual(await answerOf(2));
});

test("a model that a link points to is replaced with its weights beside itself, and is opened by the link", async () => {
  fs.mkdirSync(path.join(folder, "store"));
  fs.symlinkSync(path.join(folder, "store", "real.onnx"), target);
  const files = await writeModel(target, apart(1));
  expect(path.dirname(files[1]!.path)).toBe(path.join(folder, "store"));
  expect(fs.lstatSync(target).isSymbolicLink()).toBe(true);
  expect(await answer()).toEqual(await answerOf(1));
});

describe("whatever fails, the model that was there is as it was", () => {
  const failing: readonly (readonly [string, () => void])[] = [
    ["the weights can't be written", () => failWrites(1)],
    ["the graph can't be written", () => failWrites(2)],
    ["the weights don't get their name", () => failRename(1)],
    ["the graph does not get its name", () => failRename(2)],
  ];
  test.each(failing)("%s", async (_what, arrange) => {
    await writeModel(target, apart(1));
    const before = names();
    arrange();
    await expect(writeModel(target, apart(2))).rejects.toThrow(/tiny\.onnx: can't be written: /);
    vi.restoreAllMocks();
    expect(names()).toEqual(before);
    expect(await answer()).toEqual(await answerOf(1));
  });

  test("also where the new weights are those that are there", async () => {
    await writeModel(target, apart(1));
    failRename(2);
    await expect(writeModel(target, apart(1))).rejects.toThrow(/in use/);
    vi.restoreAllMocks();
    expect(await answer()).toEqual(await answerOf(1));
  });

  /** The disk is full for the n-th file. */
  function failWrites(nth: number): void {
    const open = fs.promises.open.bind(fs.promises);
    let count = 0;
    vi.spyOn(fs.promises, "open").mockImplementation(async (...args) => {
      const file = await open(...args);
      if (++count === nth) file.write = () => Promise.reject(Object.assign(new Error(), { code: "ENOSPC" }));
      return file;
    });
  }

  function failRename(nth: number): void {
    const rename = fs.promises.rename.bind(fs.promises);
    let count = 0;
    vi.spyOn(fs.promises, "rename").mockImplementation(async (...args) => {
      if (++count === nth) throw Object.assign(new Error(), { code: "EBUSY" });
      return rename(...args);
    });
  }
});

describe("a process that is killed between two steps", () => {
  /** Writes the model with other weights, and stops before the n-th renaming for good. */
  const WRITER = `
    import fs from "node:fs";
    import { elaborate } from "./compiler/analyze.ts";
    import { emitModel } from "./compiler/compile.ts";
    import { memoryHost } from "./compiler/host.ts";
    import { writeModel } from "RUNTIME/onnx/model-files";
    const [target, nth, seed] = process.argv.slice(2);
    const rename = fs.promises.rename;
    let count = 0;
    fs.promises.rename = async (...args) => {
      if (++count === Number(nth)) {
        process.stdout.write("here");
        await new Promise((resolve) => setTimeout(resolve, 1e6));
      }
      return rename(...args);
    };
    const model = elaborate({ file: "t" }, { host: memoryHost({ t: ${JSON.stringify(SOURCE)} }) }).model;
    await writeModel(target, (externalData) => emitModel(model, { seed: Number(seed), externalData }));
  `;

  test.each([1, 2])(
    "before renaming %i: the old model is whole, and the next run clears what was left",
    async (nth) => {
      await writeModel(target, apart(1));
      const child = await startScript(WRITER, target, String(nth), "2");
      child.kill("SIGKILL");
      await once(child, "close");
      expect(names().length).toBeGreaterThan(2);
      expect(await answer()).toEqual(await answerOf(1));
      const files = await writeModel(target, apart(3));
      expect(names()).toEqual(["tiny.onnx", path.basename(files[1]!.path)]);
      expect(await answer()).toEqual(await answerOf(3));
    },
  );

  test("a writer that still lives is left its weights", async () => {
    await writeModel(target, apart(1));
    const child = await startScript(WRITER, target, "2", "2");
    const waiting = dataNames();
    await writeModel(target, apart(3));
    expect(dataNames()).toEqual(expect.arrayContaining(waiting));
    expect(await answer()).toEqual(await answerOf(3));
    child.kill("SIGKILL");
    await once(child, "close");
    await writeModel(target, apart(4));
    expect(names()).toHaveLength(2);
  });

  test("two at once: the model is one of theirs, with its weights", async () => {
    const answers = await Promise.all([5, 6, 7].map(answerOf));
    for (let round = 0; round < 5; round++) {
      await Promise.all([5, 6, 7].map((seed) => writeModel(target, apart(seed))));
      expect(answers).toContainEqual(await answer());
    }
    await writeModel(target, apart(8));
    expect(names()).toHaveLength(2);
  });
});
