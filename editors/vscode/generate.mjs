// Writes the TextMate grammar from the token definitions: npm run generate
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as prettier from "prettier";

const target = fileURLToPath(new URL("syntaxes/resnet.tmLanguage.json", import.meta.url));

const bundle = await build({
  entryPoints: [fileURLToPath(new URL("../../grammar/textmate.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  write: false,
});
const [{ text }] = bundle.outputFiles;
const { textmateGrammar } = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
const options = await prettier.resolveConfig(target);
writeFileSync(target, await prettier.format(JSON.stringify(textmateGrammar()), { ...options, parser: "json" }));
