/**
 * Damaged files: each golden file cut short at many places, and with bits flipped at many. Whatever comes of it, it is a
 * file that loads or one clear line, soon, and without memory that the file could not fill.
 */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { openWeights } from "../../../runtime/weights/open.js";
import { WeightsError } from "../../../runtime/weights/source.js";
import { uniform } from "../../support/oracle-weights.js";
import { goldenWeights, temporaryFolder } from "../../support/weight-files.js";
import { processorTime } from "../../support/processor-time.js";

const folder = temporaryFolder();
const FLIPS = 300;
const CUTS = 100;
/** A golden file is read in a millisecond; with a hang or a huge allocation this is passed at once. */
const MOST_MILLISECONDS = 1000;

describe.each(Object.keys(goldenWeights.expected))("%s", (name) => {
  const original = fs.readFileSync(goldenWeights.path(name));
  const file = path.join(folder, name);

  /** What reading everything in the file gives; anything but a WeightsError fails the test. */
  async function outcome(bytes: Uint8Array, how: string): Promise<"loaded" | "refused"> {
    fs.writeFileSync(file, bytes);
    const worked = processorTime();
    try {
      const source = await openWeights(file);
      try {
        for (const tensor of source.tensors.keys()) source.read(tensor);
      } finally {
        source.close();
      }
      return "loaded";
    } catch (error) {
      if (!(error instanceof WeightsError)) throw new Error(`${how}: ${String(error)}`, { cause: error });
      expect(error.message.startsWith(`${file}: `), `${how}: ${error.message}`).toBe(true);
      expect(error.message, how).not.toContain("\n");
      expect(error.message.length, `${how}: ${error.message}`).toBeLessThan(file.length + 400);
      return "refused";
    } finally {
      expect(worked(), how).toBeLessThan(MOST_MILLISECONDS);
    }
  }

  test("cut short", async () => {
    for (const fraction of uniform(`cut ${name}`, CUTS, 0, 1)) {
      const length = Math.floor(fraction * original.length);
      const result = await outcome(original.subarray(0, length), `cut to ${length} bytes`);
      // A message of protocol buffers that ends between two fields is whole, so those of Caffe may still be read.
      if (!name.endsWith(".caffemodel")) expect(result, `cut to ${length} bytes`).toBe("refused");
    }
  });

  test("flipped bits", async () => {
    const places = uniform(`flip ${name}`, 2 * FLIPS, 0, 1);
    for (let i = 0; i < FLIPS; i++) {
      const bytes = Buffer.from(original);
      const at = Math.floor(places[2 * i]! * bytes.length);
      const bit = Math.floor(places[2 * i + 1]! * 8);
      bytes[at]! ^= 1 << bit;
      await outcome(bytes, `bit ${bit} of byte ${at} flipped`);
    }
  });

  test("several bytes replaced", async () => {
    const places = uniform(`replace ${name}`, 8 * FLIPS, 0, 1);
    for (let i = 0; i < FLIPS; i++) {
      const bytes = Buffer.from(original);
      for (let k = 0; k < 4; k++) {
        const [at, value] = [places[8 * i + 2 * k]!, places[8 * i + 2 * k + 1]!];
        bytes[Math.floor(at * bytes.length)] = value < 0.3 ? 0xff : Math.floor(value * 256);
      }
      await outcome(bytes, `replacement ${i}`);
    }
  });
});
