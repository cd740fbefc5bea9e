// Bundles the extension: npm run vsix. One bundle each for the entries of a desktop and of a browser, for the two servers,
// and for the page in the panel; all that they need is inside.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { noticesOf } from "../../cli/notices.mjs";

const root = fileURLToPath(new URL("./", import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** VS Code 1.91 has Node 20 and Chromium 124. */
const COMMON = {
  bundle: true,
  absWorkingDir: fileURLToPath(new URL("../../", import.meta.url)),
  define: { VERSION: JSON.stringify(version) },
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  minify: true,
  // Names of classes and functions are in messages.
  keepNames: true,
};

/** Entries by where they run; `vscode` is there already. */
const BUNDLES = [
  { entryPoints: { extension: "desktop.ts" }, platform: "node", target: "node20", format: "cjs", external: ["vscode"] },
  { entryPoints: { "server-node": "server-node.ts" }, platform: "node", target: "node20", format: "cjs" },
  {
    entryPoints: { "extension-web": "browser.ts" },
    platform: "browser",
    target: "es2022",
    format: "cjs",
    external: ["vscode"],
  },
  { entryPoints: { "server-worker": "server-worker.ts" }, platform: "browser", target: "es2022", format: "iife" },
  { entryPoints: { page: "page/main.ts" }, platform: "browser", target: "es2022", format: "iife" },
  { entryPoints: { page: "page/page.css" }, platform: "browser", target: "es2022" },
];

/** Writes all bundles to a folder; gives their sizes in bytes by file name. */
export async function bundleExtension(out = `${root}out`) {
  rmSync(out, { recursive: true, force: true });
  const metafiles = [];
  for (const { entryPoints, ...options } of BUNDLES) {
    const entries = Object.entries(entryPoints).map(([name, file]) => [name, `${root}src/${file}`]);
    const { metafile } = await build({ ...COMMON, ...options, entryPoints: Object.fromEntries(entries), outdir: out });
    metafiles.push(metafile);
  }
  const head = "The extension is distributed with code of these projects inside its own files.";
  writeFileSync(`${out}/THIRD-PARTY-NOTICES.txt`, `${[head, ...noticesOf(metafiles)].join("\n\n")}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleExtension();
