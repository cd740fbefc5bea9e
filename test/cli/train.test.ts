/** `train` and what reads its folder, as a person uses them: signals, kills, full disks. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { readMetrics, type StepMetrics } from "../../runtime/training/metrics.js";
import type { Tuning } from "../../runtime/tuning/tune.js";
import { TINY_SOURCE, tinyFolder, trainTiny } from "../support/tiny-training.js";
import { resnetc, type Ended } from "./resnetc.js";

/** Calls `act` as soon as the training has made this many updates. */
function after(cwd: string, output: string, step: number, act: (kill: (signal: NodeJS.Signals) => void) => void) {
  return (child: {
    kill(signal: NodeJS.Signals): boolean;
    once(event: "exit", listener: () => void): unknown;
  }): void => {
    const timer = setInterval(() => {
      const made = readMetrics(join(cwd, output, "metrics.jsonl")).at(-1)?.step ?? 0;
      if (made < step) return;
      clearInterval(timer);
      act((signal) => child.kill(signal));
    }, 2);
    child.once("exit", () => clearInterval(timer));
  };
}

const losses = (cwd: string, output: string): number[] =>
  readMetrics(join(cwd, output, "metrics.jsonl"))
    .filter((each): each is StepMetrics => each.kind === "step")
    .map(({ loss }) => loss);

function good({ code, stdout, stderr }: Ended): string {
  expect(stderr).not.toMatch(/^error:/m);
  expect(code).toBe(0);
  return stdout;
}

describe("train", () => {
  it("trains, and the folder is evaluated, plotted and measured; its model classifies", async () => {
    const cwd = await tinyFolder();
    const report = JSON.parse(good(await resnetc(trainTiny("run", "--json"), { cwd }))) as { test: { error: number } };
    expect(report).toMatchObject({ schema: 1, finished: true, step: 40, unreadable: 0 });
    const evaluated = JSON.parse(
      good(await resnetc(["eval", "run", "--data", "shapes", "--device", "cpu", "--json"], { cwd })),
    ) as { error: number };
    expect(evaluated).toMatchObject({ split: "test", images: 2000 });
    expect(evaluated.error).toBeCloseTo(report.test.error, 9);
    good(await resnetc(["plot", "run", "run", "-o", "curves.svg"], { cwd }));
    expect(await readFile(join(cwd, "curves.svg"), "utf8")).toMatch(
      /error \(%\)[\s\S]*stroke-dasharray[\s\S]*<\/svg>\n$/,
    );
    const responses = await resnetc(
      ["responses", "run", "--data", "shapes", "--images", "50", "--device", "cpu", "--json", "-o", "responses.svg"],
      { cwd },
    );
    const { networks } = JSON.parse(good(responses)) as { networks: { layers: { path: string; std: number }[] }[] };
    expect(networks[0]!.layers.map(({ path }) => path)).toEqual(["conv1.bn"]);
    expect(networks[0]!.layers[0]!.std).toBeGreaterThan(0.1);
    expect(await readFile(join(cwd, "responses.svg"), "utf8")).toContain("standard deviation");
    const again = await resnetc(trainTiny("run"), { cwd });
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toBe("error: run: holds a training; --resume goes on with it, or choose another folder\n");
  });

  it("saves and ends at Ctrl-C, and goes on as if nothing had been", async () => {
    const cwd = await tinyFolder();
    good(await resnetc(trainTiny("whole"), { cwd }));
    const stopped = await resnetc(trainTiny("run"), {
      cwd,
      started: after(cwd, "run", 7, (kill) => kill("SIGINT")),
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/stopped after \d+ updates; the same command with --resume goes on\n$/);
    good(await resnetc(trainTiny("run", "--resume"), { cwd }));
    expect(losses(cwd, "run")).toEqual(losses(cwd, "whole"));
    const bytes = (output: string) => readFile(join(cwd, output, "model.safetensors"));
    expect(await bytes("run")).toEqual(await bytes("whole"));
  });

  it("is tested at the scales of its recipe, or those that are asked for", async () => {
    const cwd = await tinyFolder();
    await writeFile(join(cwd, "tiny.resnet"), TINY_SOURCE.replace("stop 40", "stop 10   test_scales [32, 48]"));
    good(await resnetc(trainTiny("run"), { cwd }));
    const test = async (...more: string[]): Promise<number> => {
      const args = ["eval", "run", "--data", "shapes", "--device", "cpu", "--threads", "1", "--json", ...more];
      return (JSON.parse(good(await resnetc(args, { cwd }))) as { error: number }).error;
    };
    const byRecipe = await test();
    expect(byRecipe).toBe(await test("--scales", "32,48"));
    expect(byRecipe).not.toBe(await test("--crops", "1"));
  });

  it("writes operations as tune measured them, but not with --no-tuned", async () => {
    const cwd = await tinyFolder();
    const env = { XDG_CACHE_HOME: join(cwd, "cache") };
    const tune = ["tune", "tiny.resnet", "--recipe", "tiny.resnet", "--device", "cpu", "--threads", "1"];
    const { operations, file } = JSON.parse(good(await resnetc([...tune, "--json"], { cwd, env }))) as Tuning;
    expect(file).toBe(join(cwd, "cache/resnetc/methods.json"));
    expect(operations.length).toBeGreaterThan(0);
    const again = await resnetc(tune, { cwd, env });
    good(again);
    expect(again.stderr).toMatch(/(\d+) kinds? of operations, \1 of them measured before; /);
    expect(again.stderr).toMatch(/^kept in .*methods\.json$/m);
    const said = /^\d+ kinds? of operations as measured by resnetc tune$/m;
    const train = async (output: string, ...more: string[]): Promise<string> => {
      const ended = await resnetc(trainTiny(output, "--steps", "2", ...more), { cwd, env });
      good(ended);
      return ended.stderr;
    };
    expect(await train("tuned")).toMatch(said);
    expect(await train("estimated", "--no-tuned")).not.toMatch(said);
    await writeFile(file, "{");
    const damaged = await train("damaged");
    expect(damaged).toContain(`warning: ${file}: is damaged: what was measured before is not used\n`);
    expect(damaged).not.toMatch(said);
    const refused = await resnetc([...tune, "--batch", "0"], { cwd, env });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    await writeFile(join(cwd, "open.resnet"), TINY_SOURCE.replace("3x32x32", "3xHxW"));
    const open = await resnetc(["tune", "open.resnet", "--recipe", "cifar10", "--device", "cpu"], { cwd, env });
    expect(open).toMatchObject({ code: 1, stdout: "" });
    expect(open.stderr).toMatch(/^error: training needs every size of the input image, which is [^\n]*\n$/);
  });

  it("ends at once at the second Ctrl-C", async () => {
    const cwd = await tinyFolder();
    const ended = await resnetc(trainTiny("run", "--steps", "100000"), {
      cwd,
      started: after(cwd, "run", 3, (kill) => {
        kill("SIGINT");
        setTimeout(() => kill("SIGINT"), 1);
      }),
    });
    // The first may have been enough: then it ended of itself.
    expect([ended.signal, ended.code]).toContain(ended.signal === null ? 130 : "SIGINT");
  });

  it("loses no more than the interval since the last checkpoint when it is killed, and corrupts none", async () => {
    const cwd = await tinyFolder();
    good(await resnetc(trainTiny("whole", "--steps", "100"), { cwd }));
    for (const step of [13, 44, 71]) {
      const killed = await resnetc(trainTiny("run", "--steps", "100", ...(step === 13 ? [] : ["--resume"])), {
        cwd,
        started: after(cwd, "run", step, (kill) => kill("SIGKILL")),
      });
      expect(killed.signal).toBe("SIGKILL");
      const saved = (await readdir(join(cwd, "run/checkpoints"))).flatMap(
        (name) => /^step-(\d+)\./.exec(name)?.[1] ?? [],
      );
      const made = losses(cwd, "run").length;
      // Checkpoints are every 10 updates; one may be on its way.
      expect(Math.max(0, ...saved.map(Number))).toBeGreaterThanOrEqual(made - 20);
    }
    const last = await resnetc(trainTiny("run", "--steps", "100", "--resume"), { cwd });
    good(last);
    expect(last.stderr).not.toContain("warning");
    expect(losses(cwd, "run")).toEqual(losses(cwd, "whole"));
    expect((await readdir(join(cwd, "run/checkpoints"))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("is killed while it writes a checkpoint, and goes on from the one before", { timeout: 120_000 }, async () => {
    const cwd = await tinyFolder();
    // Half a million weights and their momenta: 4 MB take a while to be written.
    const wide = TINY_SOURCE.replace("conv 3x3, 4, /4   bn   relu", "conv 3x3, 64, /2   bn   relu").replace(
      "global_avg_pool",
      "flatten   fc 32   relu",
    );
    await writeFile(join(cwd, "tiny.resnet"), wide);
    good(await resnetc(trainTiny("whole"), { cwd }));
    const checkpoints = join(cwd, "run/checkpoints");
    const unfinished = async (): Promise<string[]> =>
      (await readdir(checkpoints).catch(() => [])).filter((name) => name.endsWith(".tmp"));
    let left: string[] = [];
    for (let attempt = 0; attempt < 8 && left.length === 0; attempt += 1) {
      await rm(join(cwd, "run"), { recursive: true, force: true });
      const killed = await resnetc(trainTiny("run"), {
        cwd,
        started: (child) => {
          const timer = setInterval(() => {
            // The second checkpoint: there is one before it.
            const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
            const begun = names.some((name) => name.endsWith(".tmp"));
            if (begun && names.includes("step-10.safetensors")) child.kill("SIGKILL");
          }, 1);
          child.once("exit", () => clearInterval(timer));
        },
      });
      if (killed.signal === "SIGKILL") left = await unfinished();
    }
    expect(left).toHaveLength(1);
    const resumed = await resnetc(trainTiny("run", "--resume"), { cwd });
    good(resumed);
    expect(resumed.stderr).toMatch(/^going on after [123]0 of 40 updates/m);
    expect(losses(cwd, "run")).toEqual(losses(cwd, "whole"));
    expect(await unfinished()).toEqual([]);
  });

  it("names images that can't be read and goes on, or with --strict ends", async () => {
    const cwd = await tinyFolder();
    for (const [index, name] of ["a", "b"].entries()) {
      for (const split of ["train", "val"]) {
        await mkdir(join(cwd, "images", split, name), { recursive: true });
        for (let image = 0; image < 16; image += 1) {
          const pixels = new Uint8Array(32 * 32 * 3).fill(40 + 120 * index + image);
          const png = await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } })
            .png()
            .toBuffer();
          await writeFile(join(cwd, "images", split, name, `${image}.png`), png);
        }
      }
    }
    await writeFile(join(cwd, "images/train/b/3.png"), "no image");
    const args = (output: string, ...more: string[]): string[] => [
      ...["train", "tiny.resnet#Tiny(classes: 2)", "--recipe", "tiny.resnet", "--data", "images", "--device", "cpu"],
      ...["--steps", "4", "-o", output, ...more],
    ];
    const env = { XDG_CACHE_HOME: join(cwd, "cache") };
    const { code, stderr, stdout } = await resnetc(args("run", "--json"), { cwd, env });
    expect(code).toBe(0);
    expect(stderr.match(/^warning: .*train\/b\/3\.png: .*$/gm)).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ finished: true, step: 4, unreadable: 1 });
    const strict = await resnetc(args("strict", "--strict"), { cwd, env });
    expect(strict).toMatchObject({ code: 1, stdout: "" });
    expect(strict.stderr).toMatch(/^error: .*train\/b\/3\.png: .*$/m);
    await rm(join(cwd, "images/val/b"), { recursive: true });
    const missing = await resnetc(args("missing"), { cwd, env });
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toMatch(/^error: [^\n]*\bb\b[^\n]*\n$/);
  });

  it("says in one line what does not fit", async () => {
    const cwd = await tinyFolder();
    const line = async (args: string[]): Promise<string> => {
      const { code, stderr } = await resnetc(args, { cwd });
      expect(code).toBe(1);
      return stderr;
    };
    expect(
      await line([
        "train",
        "CifarResNet(depth: 8, classes: 100)",
        "--recipe",
        "shapes",
        "--data",
        "shapes",
        "-o",
        "a",
        "--device",
        "cpu",
      ]),
    ).toBe('error: shapes has 10 classes, CifarResNet tells 100 apart: train "CifarResNet(depth: 8, classes: 10)"\n');
    expect(
      await line([
        "train",
        "ResNet18(classes: 10)",
        "--recipe",
        "shapes",
        "--data",
        "shapes",
        "-o",
        "b",
        "--device",
        "cpu",
      ]),
    ).toBe("error: shapes gives images of 32x32 after the recipe's transforms, ResNet18 takes 224x224\n");
    expect(await line(["train", "tiny.resnet", "--recipe", "tiny.resnet", "--data", "nowhere", "-o", "c"])).toMatch(
      /^error: nowhere: no such folder[^\n]*\n$/,
    );
    expect(
      await line(["train", "tiny.resnet", "--recipe", "tiny.resnet", "--data", "cifar10:nowhere", "-o", "d"]),
    ).toBe("error: nowhere: no such folder\n");
    expect(await line(["plot", "nowhere", "-o", "x.svg"])).toBe("error: nowhere: no training is there\n");
    await mkdir(join(cwd, "images/train/cat"), { recursive: true });
    await writeFile(join(cwd, "occupied"), "");
    expect(await line(trainTiny("occupied"))).toMatch(/^error: occupied[^\n]*\n$/);
  });

  it.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
    "tells of a full disk in one line, and leaves nothing half-written",
    async (context) => {
      const cwd = await tinyFolder();
      const disk = join(cwd, "disk");
      await mkdir(disk);
      const exec = promisify(execFile);
      // A disk of 48 kB: room for the beginning, not for a checkpoint after the metrics have grown.
      const mounted = await exec("mount", ["-t", "tmpfs", "-o", "size=48k", "tmpfs", disk]).then(
        () => true,
        () => false,
      );
      if (!mounted) return context.skip();
      try {
        const { code, stderr } = await resnetc(trainTiny("disk/run", "--steps", "100000"), { cwd });
        expect(code).toBe(1);
        expect(stderr.split("\n").filter((line) => line.startsWith("error:"))).toHaveLength(1);
        expect(stderr).toMatch(/error: disk\/run\/\S+: can't be written: the disk is full\n$/);
        const names = await readdir(join(disk, "run/checkpoints")).catch(() => []);
        expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
      } finally {
        await exec("umount", [disk]);
      }
    },
  );
});
