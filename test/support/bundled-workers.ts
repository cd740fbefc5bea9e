/** Threads are started by Node itself, which reads no TypeScript: under Vitest they get a bundle of their sources. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "vitest/config";

const START = /new URL\("(\.\/[\w-]+)\.js", import\.meta\.url\)/g;

/** Replaces `new URL("./data-worker.js", import.meta.url)` in runtime/ by the URL of a bundle that was made just now. */
export function bundledWorkers(folder: string): Plugin {
  return {
    name: "bundled-workers",
    async transform(code, id) {
      if (!id.includes("/runtime/") || !code.includes("new Worker(")) return undefined;
      for (const [whole, name] of code.matchAll(START)) {
        const entry = path.resolve(path.dirname(id), `${name!}.ts`);
        const outfile = path.join(folder, `${path.basename(entry, ".ts")}-${process.pid}.mjs`);
        await mkdir(folder, { recursive: true });
        await build({
          entryPoints: [entry],
          outfile,
          bundle: true,
          packages: "external",
          platform: "node",
          format: "esm",
        });
        code = code.replace(whole, `new URL(${JSON.stringify(pathToFileURL(outfile).href)})`);
      }
      return code;
    },
  };
}
