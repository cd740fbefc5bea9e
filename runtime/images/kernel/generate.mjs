// Writes resample.generated.ts from resample.wat; with --check it only compares. The result is kept in the repository,
// since it changes as rarely as its source.
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const source = new URL("resample.wat", import.meta.url);
const target = new URL("resample.generated.ts", import.meta.url);

const { parseWat } = await wabt();
const parsed = parseWat("resample.wat", readFileSync(source, "utf8"), { simd: true });
const bytes = Buffer.from(parsed.toBinary({}).buffer);
const text = `/** resample.wat, assembled by generate.mjs. */
export const RESAMPLE = "${bytes.toString("base64")}";
`;
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error("resample.generated.ts is not what resample.wat gives; run node runtime/images/kernel/generate.mjs");
  process.exitCode = 1;
}
