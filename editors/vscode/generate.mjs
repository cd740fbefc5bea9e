// Writes the TextMate grammar from the token definitions and the words: npm run generate
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as prettier from "prettier";

const target = fileURLToPath(new URL("syntaxes/resnet.tmLanguage.json", import.meta.url));

const bundle = await build({
  stdin: {
    contents: `import { textmateGrammar } from "./grammar/textmate.js";
import { VOCABULARY } from "./compiler/vocabulary.js";
export const grammar = textmateGrammar(VOCABULARY);`,
    resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
  },
  bundle: true,
  format: "esm",
  write: false,
});
const [{ text }] = bundle.outputFiles;
const { grammar } = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
const options = await prettier.resolveConfig(target);
writeFileSync(target, await prettier.format(JSON.stringify(grammar), { ...options, parser: "json" }));
