/** Where files go: the standard output, pipes, folders with links in them, names with blanks. */
import { execFileSync, spawn } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BIN, folderWith, listing, resnetc, SMALL } from "./resnetc.js";

/** A command line as a shell runs it; `resnetc` is the built one. */
function shell(line: string, cwd: string): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  const child = spawn("sh", ["-c", line.replace(/\bresnetc (?=\w)/g, `'${process.execPath}' '${BIN}' `)], { cwd });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.end();
  return new Promise((resolve) =>
    child.on("close", (code) =>
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    ),
  );
}

const posix = describe.skipIf(process.platform === "win32");

posix("-o - and /dev/stdout", () => {
  const commands = {
    compile: "resnetc compile small.resnet --seed 3",
    figure: "resnetc figure small.resnet",
    "export, safetensors": "resnetc export small.resnet --seed 3 --format safetensors",
    "export, pth": "resnetc export small.resnet --seed 3 --format pth",
  };
  it.each(Object.entries(commands))("%s gives the bytes that it writes to a file, news aside", async (_name, line) => {
    const folder = await folderWith({ "small.resnet": SMALL });
    expect((await shell(`${line} -o file`, folder)).code).toBe(0);
    const file = await readFile(join(folder, "file"));
    for (const output of ["-", "/dev/stdout"]) {
      const piped = await shell(`${line} -o ${output} | cat`, folder);
      expect(piped.stdout.equals(file), output).toBe(true);
      expect(piped.stderr).toMatch(/^wrote .*standard output/m);
      // A pipe of Node's own is a socket, which has no name that can be opened.
      expect((await shell(`${line} -o ${output}`, folder)).stdout.equals(file), output).toBe(true);
      // Redirected: not replaced, for others write to it too.
      await shell(`{ echo before; ${line} -o ${output}; echo after; } > redirected`, folder);
      const redirected = await readFile(join(folder, "redirected"), "latin1");
      expect(redirected).toBe(`before\n${file.toString("latin1")}after\n`);
    }
    expect(await listing(folder)).toEqual(["file", "redirected", "small.resnet"]);
  });

  it("waits for a slow reader, and is quiet about one that goes away", async () => {
    const folder = await folderWith();
    const slow = await shell("resnetc compile ResNet18 -o - | { sleep 1; wc -c; }", folder);
    expect(Number(slow.stdout.toString())).toBeGreaterThan(46e6);
    const gone = await shell("resnetc compile ResNet18 -o - | head -c 10 > /dev/null", folder);
    expect(gone.stderr).not.toMatch(/at .*:\d+:\d+/);
  });

  it("a full disk is one line", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    for (const output of ["/dev/full", "- > /dev/full", "/dev/stdout > /dev/full"]) {
      const { code, stderr } = await shell(`resnetc compile small.resnet -o ${output}`, folder);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: (\/dev\/full|standard output): can't be written: the disk is full\n$/);
    }
  });

  it("is refused where a report or several files would go there too", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    for (const [options, reason] of [
      ["-o - --json", /-o - and --json both write to the standard output/],
      ["-o - --external-data", /--external-data writes two files/],
      ["-o - --training", /-o -: several files are written, a folder is needed/],
    ] as const) {
      const { code, stderr } = await shell(`resnetc compile small.resnet ${options}`, folder);
      expect([code, stderr.match(reason)?.length], options).toEqual([2, 1]);
    }
    const { code, stderr } = await shell("resnetc export small.resnet -o -", folder);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/-: needs --format/)]);
    expect(await listing(folder)).toEqual(["small.resnet"]);
  });

  it.skipIf(!hasScript())("is refused on a terminal where the file is no text", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    const { stdout } = await shell('script -qec "resnetc compile small.resnet -o -" /dev/null', folder);
    expect(stdout.toString()).toMatch(/not text, so it is not written to a terminal/);
  });

  it("a named pipe and /dev/null are written to", async () => {
    const folder = await folderWith({ "small.resnet": SMALL });
    const line = "mkfifo p; resnetc compile small.resnet -o p & cat p > read; wait; resnetc compile small.resnet -o x";
    expect((await shell(line, folder)).code).toBe(0);
    expect((await readFile(join(folder, "read"))).equals(await readFile(join(folder, "x")))).toBe(true);
    expect((await shell("resnetc compile small.resnet -o /dev/null", folder)).code).toBe(0);
  });
});

function hasScript(): boolean {
  try {
    execFileSync("script", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

posix("links", () => {
  it("in a folder that detect writes to are refused before anything is done", async () => {
    const image = await readFile(fileURLToPath(new URL("../../examples/cifar10/cat.jpg", import.meta.url)));
    const folder = await folderWith({ "ok.jpg": image, "victim.txt": "mine" });
    await mkdir(join(folder, "out"));
    for (const name of ["ok.jpg", "detections.json"]) {
      await symlink(join(folder, "victim.txt"), join(folder, "out", name));
      const { code, stderr } = await resnetc(["detect", "FasterRCNN_ResNet50_FPN", "ok.jpg", "-o", "out"], {
        cwd: folder,
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`out/${name}: is a link, which is not followed here: remove it`));
      expect(await readFile(join(folder, "victim.txt"), "utf8")).toBe("mine");
      execFileSync("rm", [join(folder, "out", name)]);
    }
  });

  it("in a folder for training graphs, or for a new project, are refused", async () => {
    const folder = await folderWith({ "small.resnet": SMALL, "victim.txt": "mine" });
    for (const [name, args] of [
      ["train.onnx", ["compile", "small.resnet", "--training", "-o", "step"]],
      ["net.resnet", ["init", "step"]],
    ] as const) {
      await mkdir(join(folder, "step"), { recursive: true });
      await symlink(join(folder, "victim.txt"), join(folder, "step", name));
      const { code, stderr } = await resnetc(args, { cwd: folder });
      expect([code, stderr]).toEqual([1, expect.stringMatching(/is a link, which is not followed|exists already/)]);
      expect(await readFile(join(folder, "victim.txt"), "utf8")).toBe("mine");
      execFileSync("rm", ["-r", join(folder, "step")]);
    }
  });

  it("that the user names keep pointing where they point", async () => {
    const folder = await folderWith({ "small.resnet": SMALL, "v1.onnx": "old" });
    await symlink("v1.onnx", join(folder, "latest.onnx"));
    await resnetc(["compile", "small.resnet", "-o", "latest.onnx"], { cwd: folder });
    expect((await readFile(join(folder, "v1.onnx"))).length).toBeGreaterThan(1000);
  });
});

posix("init", () => {
  it.each(["mein netz ü", "it's", "a&b;c", "$(touch x)", "-dash", "plain"])(
    "prints a next line that a shell runs as it stands: %s",
    async (name) => {
      const folder = await folderWith();
      const { code, stderr } = await resnetc(["init", "--", name], { cwd: folder });
      expect(code).toBe(0);
      const next = /^next: (.*) && npm install && npm run summary$/m.exec(stderr)![1]!;
      const { stdout } = await shell(`${next} && pwd`, folder);
      expect(stdout.toString().trim().endsWith(`/${name}`)).toBe(true);
    },
  );
});

it("weights beside a model are replaced with it", async () => {
  const folder = await folderWith({ "small.resnet": SMALL });
  const compile = async (seed: string): Promise<string[]> => {
    const args = ["compile", "small.resnet", "-o", "net.onnx", "--external-data", "--seed", seed, "--json"];
    const { stdout } = await resnetc(args, { cwd: folder });
    return (JSON.parse(stdout) as { files: { path: string }[] }).files.map(({ path }) => path);
  };
  const first = await compile("1");
  expect(await compile("1")).toEqual(first);
  const second = await compile("2");
  expect(second[1]).not.toBe(first[1]);
  expect(await listing(folder)).toEqual([...second, "small.resnet"].sort());
});

it("what stands in the way of a file is told", async () => {
  const folder = await folderWith({ "small.resnet": SMALL, file: "x" });
  await writeFile(join(folder, "small.txt"), "");
  for (const [output, reason] of [
    ["none/x.onnx", "the folder is not there"],
    ["file/x.onnx", "the folder is not there"],
    [".", "is a folder"],
    ["x".repeat(300), "the name is too long"],
  ] as const) {
    const { code, stderr } = await resnetc(["compile", "small.resnet", "-o", output], { cwd: folder });
    expect([code, stderr]).toEqual([1, expect.stringContaining(reason)]);
  }
});
