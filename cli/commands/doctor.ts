/** `resnetc doctor`: what it runs on, for a report of a fault. */
import { constants } from "node:fs";
import { access, mkdir, statfs } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { examples } from "../arguments.js";
import { EXIT, Stop } from "../failure.js";
import { PACKAGE_ROOT, packageVersion } from "../package-files.js";
import { renderTable } from "../table.js";
import { printReport } from "../report.js";
import { byteSize, colours, print } from "../terminal.js";

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** Whether nothing runs without it. */
  readonly needed: boolean;
  readonly value: string;
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("look at what resnetc runs on: versions, devices, memory, folders; for reports of faults")
    .option("--json", "for programs")
    .addHelpText("after", examples(["resnetc doctor", "exit code 1 if something that is needed does not work"]))
    .action(async ({ json }: { json?: boolean }) => {
      const findings = [...(await software()), ...(await devices()), ...(await machine())];
      const ok = findings.every((finding) => finding.ok || !finding.needed);
      if (json) printReport({ ok, findings });
      else {
        const { green, red, dim } = colours.out;
        const mark = ({ ok: works, needed }: Finding): string =>
          works ? green("ok") : needed ? red("fails") : dim("no");
        const rows = findings.map((finding) => [mark(finding), finding.name, finding.value]);
        print(renderTable(rows, ["left", "left", "left"]));
      }
      if (!ok) throw new Stop(EXIT.input);
    });
}

/** What a step finds, or why it fails. */
async function look(name: string, needed: boolean, find: () => Promise<string> | string): Promise<Finding> {
  try {
    return { name, needed, ok: true, value: await find() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, needed, ok: false, value: message.split("\n")[0]! };
  }
}

function software(): Promise<Finding[]> {
  return Promise.all([
    look("resnetc", true, () => `${packageVersion()} in ${PACKAGE_ROOT.pathname}`),
    look("node", true, () => {
      const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
      if (major < 20 || (major === 20 && minor < 19)) throw new Error(`${process.version}: 20.19 or newer is needed`);
      return `${process.version} on ${os.platform()} ${os.release()} ${os.arch()}`;
    }),
    look("onnxruntime", true, async () => {
      const { loadRuntime } = await import("../../runtime/onnx/onnxruntime.js");
      return (await loadRuntime()).env.versions.common ?? "its version is not known";
    }),
    look("sharp", true, async () => {
      const { default: sharp } = await import("sharp");
      return `${sharp.versions.sharp ?? ""}, libvips ${sharp.versions.vips}`;
    }),
  ]);
}

async function devices(): Promise<Finding[]> {
  const { availability, DEVICES } = await import("../../runtime/onnx/device.js");
  return Promise.all(
    DEVICES.filter((device) => device !== "auto").map(async (device): Promise<Finding> => {
      const found = await availability(device);
      const value = found.available ? found.note : found.problem;
      return { name: `device ${device}`, needed: device === "cpu", ok: found.available, value };
    }),
  );
}

function machine(): Promise<Finding[]> {
  const cache = path.join(os.homedir(), ".cache", "resnetc");
  return Promise.all([
    look("processor", true, () => `${os.availableParallelism()} cores, ${os.cpus()[0]?.model ?? "of an unknown kind"}`),
    look("memory", true, () => `${byteSize(os.freemem())} free of ${byteSize(os.totalmem())}`),
    look("cache", false, async () => {
      await mkdir(cache, { recursive: true });
      await access(cache, constants.W_OK);
      return cache;
    }),
    look("temporary files", true, async () => {
      await access(os.tmpdir(), constants.W_OK);
      return os.tmpdir();
    }),
    look("this folder", false, async () => {
      const { bavail, bsize } = await statfs(".");
      await access(".", constants.W_OK);
      return `${process.cwd()}, ${byteSize(bavail * bsize)} free`;
    }),
  ]);
}
