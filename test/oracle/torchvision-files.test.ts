/**
 * What a user does: a .pth of torchvision, `resnetc compile --weights`, the compiled model's logits. The files are large,
 * so they are made by hand (test/oracle/torchvision_logits.py); without them there is nothing to do here.
 */
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { openSession } from "../../runtime/onnx/session.js";
import { temporaryFolder } from "../support/weight-files.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = process.env["RESNETC_ORACLE"] ?? path.join(ROOT, ".cache", "oracle");
const names = fs.existsSync(FOLDER)
  ? fs.readdirSync(FOLDER).flatMap((file) => (file.endsWith(".pth") ? [path.basename(file, ".pth")] : []))
  : [];
const COMMAND = path.join(ROOT, "bin", "resnetc.js");

describe.skipIf(names.length === 0)("files that torchvision wrote", () => {
  const folder = temporaryFolder();

  test.each(names)(
    "%s",
    async (name) => {
      const read = (suffix: string) => fs.readFileSync(path.join(FOLDER, `${name}${suffix}`));
      const golden = JSON.parse(read(".json").toString()) as { network: string; logits: number[] };
      const output = path.join(folder, `${name}.onnx`);
      const weights = path.join(FOLDER, `${name}.pth`);
      await promisify(execFile)(process.execPath, [
        COMMAND,
        "compile",
        golden.network,
        "--weights",
        weights,
        "-o",
        output,
      ]);
      const session = await openSession(output, { device: "cpu" });
      const data = new Float32Array(new Uint8Array(read(".input.f32")).buffer);
      const { logits } = await session.run({ [session.inputs[0]!.name]: { data, shape: [1, 3, 224, 224] } }, [
        "logits",
      ]);
      await session.close();
      fs.rmSync(output);
      const ours = logits!.data as Float32Array;
      const largest = Math.max(...golden.logits.map(Math.abs));
      const error = Math.max(...golden.logits.map((value, i) => Math.abs(value - ours[i]!))) / largest;
      expect(error).toBeLessThan(1e-4);
      const top5 = (values: ArrayLike<number>) =>
        Array.from(values, (value, i) => [value, i] as const)
          .sort((a, b) => b[0] - a[0])
          .slice(0, 5)
          .map(([, i]) => i);
      expect(top5(ours)).toEqual(top5(golden.logits));
    },
    300_000,
  );
});
