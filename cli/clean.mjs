// Empties dist/ before a build, so that what is published holds no output of files that are gone. The copy of ONNX
// Runtime stays: its own script knows whether it is the right one.
import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

const dist = path.resolve(import.meta.dirname, "../dist");
for (const entry of existsSync(dist) ? readdirSync(dist) : []) {
  if (entry !== "onnxruntime") rmSync(path.join(dist, entry), { recursive: true, force: true });
}
