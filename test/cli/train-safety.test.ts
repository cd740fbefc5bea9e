/** Trainings whose terminal goes, whose output nobody takes, and which somebody else would disturb. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "esbuild";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { readMetrics, type StepMetrics } from "../../runtime/training/metrics.js";
import { TINY_SOURCE, tinyFolder, trainTiny } from "../support/tiny-training.js";
import { BIN, folderWith, resnetc } from "./resnetc.js";

const steps = (cwd: string, output = "run"): number =>
  readMetrics(join(cwd, output, "metrics.jsonl")).filter((each): each is StepMetrics => each.kind === "step").length;

async function until(is: () => boolean, seconds = 60): Promise<void> {
  for (let tries = 0; tries < seconds * 50; tries++) {
    if (is()) return;
    await wait(20);
  }
  throw new Error("it did not happen");
}

const ended = (child: ChildProcess): Promise<number | string | null> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));

const LONG = ["--steps", "100000"];
const isLinux = process.platform === "linux";
const has = (command: string): boolean => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
const log = (cwd: string): Promise<string> => readFile(join(cwd, "run/training.log"), "utf8");

/** What a shell would need to start the command. */
const quoted = (args: readonly string[]): string => [process.execPath, BIN, ...args].map((a) => `'${a}'`).join(" ");

describe.skipIf(!isLinux)("a hang-up", () => {
  it.skipIf(!has("nohup"))("is passed over under nohup, whoever starts it", async () => {
    const cwd = await tinyFolder();
    const direct = spawn("nohup", [process.execPath, BIN, ...trainTiny("run", "--steps", "300")], {
      cwd,
      stdio: "ignore",
    });
    await until(() => steps(cwd) > 3);
    direct.kill("SIGHUP");
    expect(await ended(direct)).toBe(0);
    expect(steps(cwd)).toBe(300);
  });

  it.skipIf(!has("nohup") || !has("bash"))("is passed over under nohup in the background of a shell", async () => {
    const cwd = await tinyFolder();
    const line = `nohup ${quoted(trainTiny("run", "--steps", "300"))} > out.txt 2>&1 & echo $! > pid; wait $!; echo $? > code`;
    const shell = spawn("bash", ["-c", line], { cwd, stdio: "ignore" });
    await until(() => steps(cwd) > 3);
    process.kill(Number(readFileSync(join(cwd, "pid"), "utf8")), "SIGHUP");
    await ended(shell);
    expect((await readFile(join(cwd, "code"), "utf8")).trim()).toBe("0");
    expect(steps(cwd)).toBe(300);
  });

  it.skipIf(!has("bash"))("ends a training that a shell started without nohup, with its checkpoint", async () => {
    const cwd = await tinyFolder();
    const line = `${quoted(trainTiny("run", ...LONG))} > out.txt 2>&1 & echo $! > pid; wait $!; echo $? > code`;
    const shell = spawn("bash", ["-c", line], { cwd, stdio: "ignore" });
    await until(() => steps(cwd) > 12);
    process.kill(Number(readFileSync(join(cwd, "pid"), "utf8")), "SIGHUP");
    await ended(shell);
    expect((await readFile(join(cwd, "code"), "utf8")).trim()).toBe("130");
    expect(await log(cwd)).toMatch(/stopped after \d+ updates: SIGHUP: the terminal was hung up\n$/);
    expect(existsSync(join(cwd, `run/checkpoints/step-${steps(cwd)}.safetensors`))).toBe(true);
  });

  it.skipIf(!has("script") || !has("bash"))(
    "by a terminal that went: the checkpoint is written, the code is true",
    async () => {
      const cwd = await tinyFolder();
      // A handler, not the empty one, which the training would inherit as an order to pass it over.
      const line = `trap : HUP; ${quoted(trainTiny("run", ...LONG))}; echo $? > code`;
      await writeFile(join(cwd, "go.sh"), line);
      const terminal = spawn("script", ["-qfc", "bash go.sh", "/dev/null"], {
        cwd,
        stdio: ["ignore", "pipe", "ignore"],
      });
      terminal.stdout.resume();
      await until(() => steps(cwd) > 12);
      terminal.kill("SIGKILL");
      await until(() => existsSync(join(cwd, "code")) && readFileSync(join(cwd, "code"), "utf8") !== "");
      expect((await readFile(join(cwd, "code"), "utf8")).trim()).toBe("130");
      expect(await log(cwd)).toMatch(/stopped after \d+ updates: /);
      expect(existsSync(join(cwd, `run/checkpoints/step-${steps(cwd)}.safetensors`))).toBe(true);
      expect(existsSync(join(cwd, "run/training.lock"))).toBe(false);
    },
  );
});

describe("output that nobody takes", () => {
  it("ends a training with its checkpoint and a code that is not 0", async () => {
    const cwd = await tinyFolder();
    const child = spawn(process.execPath, [BIN, ...trainTiny("run", ...LONG)], {
      cwd,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const code = ended(child);
    await until(() => steps(cwd) > 3);
    child.stderr.destroy();
    // The next line, which comes every ten seconds, can't be written.
    expect(await code).toBe(130);
    expect(await log(cwd)).toMatch(
      /stopped after \d+ updates: the standard error can't be written any more \(EPIPE\)\n$/,
    );
    expect(existsSync(join(cwd, `run/checkpoints/step-${steps(cwd)}.safetensors`))).toBe(true);
  }, 60_000);

  it.skipIf(!existsSync("/dev/full"))("on a full disk is one line, and exit code 1", async () => {
    const full = openSync("/dev/full", "w");
    for (const args of [["list"], ["--help"], ["list", "--json"]]) {
      const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", full, "pipe"] });
      let said = "";
      child.stderr!.on("data", (chunk: Buffer) => (said += chunk.toString()));
      expect(await ended(child)).toBe(1);
      expect(said).toBe("error: the standard output can't be written: the disk is full\n");
    }
  });

  it("of a command whose news nobody reads is no reason not to do it", async () => {
    const cwd = await tinyFolder();
    const args = ["compile", "tiny.resnet", "-o", "tiny.onnx"];
    const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.destroy();
    expect(await ended(child)).toBe(0);
    expect(existsSync(join(cwd, "tiny.onnx"))).toBe(true);
  });

  it.skipIf(!has("bash"))("of a list that was long enough ends it, without a word", async () => {
    const { stdout, stderr } = spawnSync("bash", ["-c", `${quoted(["list"])} | true; echo \${PIPESTATUS[0]}`]);
    expect(["0\n", "141\n"]).toContain(stdout.toString());
    expect(stderr.toString()).toBe("");
  });
});

it.skipIf(process.platform === "win32")("a signal ends a command that is busy with itself", async () => {
  const cwd = await folderWith({});
  const entry = join(cwd, "busy.mjs");
  await build({
    stdin: {
      contents: `import { stopCleanly } from "./cli/signals.js"; stopCleanly(); console.log("busy"); for (;;);`,
      resolveDir: new URL("../..", import.meta.url).pathname,
    },
    outfile: entry,
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "silent",
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const child = spawn(process.execPath, [entry], { stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill(signal);
    expect(await ended(child)).toBe(signal);
  }
});

describe("the folder of a training", () => {
  it("takes one at a time, and says so in a line", async () => {
    const cwd = await tinyFolder();
    const first = spawn(process.execPath, [BIN, ...trainTiny("run", ...LONG)], { cwd, stdio: "ignore" });
    const code = ended(first);
    await until(() => steps(cwd) > 2);
    for (const more of [[], ["--resume"], ["--seed", "5"]]) {
      const second = await resnetc(trainTiny("run", ...more), { cwd });
      expect(second).toMatchObject({ code: 1, stdout: "" });
      expect(second.stderr).toMatch(
        new RegExp(
          `^error: run: process ${first.pid} is training in this folder since .* UTC: choose another folder\\n$`,
        ),
      );
    }
    first.kill("SIGKILL");
    await code;
    const resumed = await resnetc(trainTiny("run", "--resume", "--steps", String(steps(cwd) + 20)), { cwd });
    expect(resumed.stderr).not.toMatch(/^error/m);
    expect(resumed.code).toBe(0);
  });

  it("can't be a file, and a circle is not recommended", async () => {
    const cwd = await tinyFolder();
    await writeFile(join(cwd, "afile"), "");
    const { code, stderr } = await resnetc(trainTiny("afile"), { cwd });
    expect(code).toBe(1);
    expect(stderr).toBe("error: afile: is a file, or below one; a training needs a folder: choose another name\n");
    await resnetc(trainTiny("run", "--steps", "10"), { cwd });
    await writeFile(join(cwd, "run/checkpoints/step-10.safetensors"), "damaged");
    const damaged = await resnetc(trainTiny("run", "--resume"), { cwd });
    expect(damaged.stderr).toMatch(
      /step-10\.safetensors: .*: begin again in another folder, or remove run\/checkpoints\n$/,
    );
    expect(damaged.stderr).not.toContain("without --resume");
  });

  it("is gone on with, tested and looked at from any working directory, and after it was moved", async () => {
    const cwd = await tinyFolder();
    await mkdir(join(cwd, "elsewhere"));
    for (const name of ["a", "b"]) {
      for (const split of ["train", "val"]) {
        await mkdir(join(cwd, "photos", split, name), { recursive: true });
        for (let index = 0; index < 16; index++) {
          const pixels = new Uint8Array(32 * 32 * 3).fill((name === "a" ? 40 : 160) + index);
          const image = sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } });
          await image.png().toFile(join(cwd, "photos", split, name, `${index}.png`));
        }
      }
    }
    await writeFile(join(cwd, "tiny.resnet"), TINY_SOURCE.replace("stop 40", "stop 10   test_scales [32, 48]"));
    const env = { XDG_CACHE_HOME: join(cwd, "cache") };
    const train = (target: string, data: string, output: string, ...more: string[]): string[] => [
      ...["train", `${target}#Tiny(classes: 2)`, "--recipe", `${target}#quick`, "--data", data, "-o", output],
      ...["--device", "cpu", "--threads", "1", ...more],
    ];
    expect((await resnetc(train("tiny.resnet", "photos", "run"), { cwd, env })).code).toBe(0);
    const away = join(cwd, "elsewhere");
    const resumed = await resnetc(
      train("../tiny.resnet", join(cwd, "photos"), "../run", "--resume", "--steps", "12", "--json"),
      { cwd: away, env },
    );
    expect(resumed.stderr).not.toMatch(/^error/m);
    expect(JSON.parse(resumed.stdout)).toMatchObject({
      finished: true,
      step: 12,
      exported: { from: "last", step: 12 },
      warnings: [],
      notices: ["12 updates in place of 10: the learning rate does not depend on the length"],
    });
    const look = async (from: string, run: string, data: string): Promise<void> => {
      const tested = await resnetc(["eval", run, "--data", data, "--device", "cpu", "--json"], { cwd: from, env });
      expect(tested.stderr).not.toMatch(/^error/m);
      expect(tested.code).toBe(0);
      const asked = ["responses", run, "--data", data, "--images", "8", "--device", "cpu", "--json"];
      const responses = await resnetc(asked, { cwd: from, env });
      expect(responses.stderr).not.toMatch(/^error/m);
      expect(responses.code).toBe(0);
    };
    await look(away, "../run", "../photos");
    const moved = join(await folderWith({}), "moved");
    await rename(cwd, moved);
    await look(join(moved, "elsewhere"), "../run", "../photos");
    await look(moved, "run", "photos");
  });
});

it("responses of images that can't be read are named, and none at all is an error, not numbers", async () => {
  const cwd = await tinyFolder();
  await writeFile(
    join(cwd, "tiny.resnet"),
    TINY_SOURCE.replace("network Tiny(classes = 10)", "network Tiny(classes = 2)"),
  );
  for (const split of ["train", "val"]) {
    for (const name of ["a", "b"]) {
      await mkdir(join(cwd, "photos", split, name), { recursive: true });
      await writeFile(join(cwd, "photos", split, name, "1.png"), "no image");
    }
  }
  const env = { XDG_CACHE_HOME: join(cwd, "cache") };
  const args = ["responses", "tiny.resnet", "--data", "photos", "--device", "cpu", "-o", "responses.svg"];
  const { code, stdout, stderr } = await resnetc(args, { cwd, env });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr.match(/^warning: .*val\/\w\/1\.png/gm)).toHaveLength(2);
  expect(stderr).toMatch(/^error: no image could be read: there are no responses$/m);
});

it("ends with the best where that is asked for, and says which weights it took", async () => {
  const cwd = await tinyFolder();
  await writeFile(join(cwd, "tiny.resnet"), TINY_SOURCE.replace("validate 100", "validate 10"));
  const last = await resnetc(trainTiny("run"), { cwd });
  expect(last.stderr).toMatch(
    /^wrote run\/model\.onnx and run\/model\.safetensors, of the last weights, after 40 updates/m,
  );
  const best = await resnetc(trainTiny("run", "--resume", "--best", "--json"), { cwd });
  const report = JSON.parse(best.stdout) as { best: { step: number; error: number }; exported: unknown };
  expect(report.exported).toEqual({ from: "best", ...report.best });
});
