// Writes the tables of words in docs/language.md from the words' records: npm run generate
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as prettier from "prettier";

const page = fileURLToPath(new URL("../../docs/language.md", import.meta.url));

const bundle = await build({
  entryPoints: [fileURLToPath(new URL("reference.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  write: false,
});
const [{ text }] = bundle.outputFiles;
const { withTables } = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
const options = await prettier.resolveConfig(page);
writeFileSync(page, await prettier.format(withTables(readFileSync(page, "utf8")), { ...options, parser: "markdown" }));
