// Writes the site: `npm run site -- FOLDER`. Static files that work under any path, without a server, and search offline.
//
//   --no-playground   without the playground
//   --no-api          without the reference of the programming interface (two thirds of the time)
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { commandPage } from "./commands.mjs";
import { REPOSITORY, ROOT, sections } from "./pages.mjs";

/** Makes the playground; its links are left out where it is not there. */
const PLAYGROUND = path.join(ROOT, "editors/playground/build.mjs");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    playground: { type: "boolean", default: existsSync(PLAYGROUND) },
    api: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const [folder, ...more] = positionals;
if (folder === undefined || more.length > 0) {
  console.error("usage: npm run site -- FOLDER [--no-playground] [--no-api]");
  process.exit(2);
}
const output = path.resolve(folder);
if (output === ROOT || ROOT.startsWith(output + path.sep)) throw new Error(`${output} holds the project itself`);

// The pages lie in the project, so that their modules are found, but not in docs/: some are made here.
const staged = path.join(ROOT, ".cache", `site-${process.pid}`);
try {
  await stage();
  process.env.RESNETC_SITE_PAGES = staged;
  process.env.RESNETC_SITE_LINKS = JSON.stringify({ api: values.api, playground: values.playground });
  const { build } = await import("vitepress");
  await build(import.meta.dirname, { outDir: output, base: "./" });
  if (values.api) await writeApi(path.join(output, "api"));
  if (values.playground) {
    execFileSync(process.execPath, [PLAYGROUND, path.join(output, "playground")], { stdio: "inherit" });
  }
} finally {
  await rm(staged, { recursive: true, force: true });
}

/** Puts the pages of docs/ and those that are made of sources where the generator looks. */
async function stage() {
  await rm(staged, { recursive: true, force: true });
  await cp(path.join(ROOT, "docs"), staged, { recursive: true });
  // Files that pages link to, but that are no pages.
  await cp(path.join(ROOT, "docs/schemas"), path.join(staged, "public/schemas"), { recursive: true });
  await writeFile(path.join(staged, "index.md"), await homePage());
  await writeFile(path.join(staged, "commands.md"), await commandPage());
  await writeFile(path.join(staged, "changes.md"), await readFile(path.join(ROOT, "CHANGELOG.md"), "utf8"));
  await mkdir(path.join(staged, "stdlib"), { recursive: true });
  for (const name of await readdir(path.join(ROOT, "stdlib"))) {
    if (!name.endsWith(".resnet")) continue;
    const text = await readFile(path.join(ROOT, "stdlib", name), "utf8");
    const title = `std/${path.basename(name, ".resnet")}`;
    await writeFile(
      path.join(staged, "stdlib", name.replace(/resnet$/, "md")),
      `---\noutline: false\naside: false\n---\n\n# ${title}\n\n[stdlib/${name}](${REPOSITORY}/blob/main/stdlib/${name}), as the compiler has it.\n\n\`\`\`resnet\n${text}\`\`\`\n`,
    );
  }
}

/** docs/index.md with what only a site has: a head, and the links that a reader wants first. */
async function homePage() {
  const text = await readFile(path.join(ROOT, "docs/index.md"), "utf8");
  const { title, tagline, sections: parts } = sections(text);
  const [first] = parts[0].items;
  const actions = [
    { theme: "brand", ...first },
    { theme: "alt", text: "The language", link: "/language" },
    ...(values.playground
      ? [{ theme: "alt", text: "Playground", link: "/playground/index.html", target: "_self" }]
      : []),
  ];
  const front = {
    layout: "home",
    hero: { name: title, text: "Residual networks, written as the paper writes them", tagline, actions },
  };
  const example = /^```resnet\n[\s\S]*?^```$/m.exec(await readFile(path.join(ROOT, "README.md"), "utf8"))[0];
  // Blank lines, so that what is inside stays Markdown.
  const columns = text
    .split(/^(?=## )/m)
    .slice(1)
    .map((part) => `<div>\n\n${part}\n</div>`);
  return `---\n${JSON.stringify(front, null, 2)}\n---\n\n${example}\n\n<div class="parts">\n\n${columns.join("\n\n")}\n\n</div>\n`;
}

/** TypeDoc's own pages, below the site. */
async function writeApi(into) {
  const { Application } = await import("typedoc");
  const app = await Application.bootstrapWithPlugins({
    options: path.join(ROOT, "typedoc.json"),
    name: "resnetc",
    disableGit: true,
    sourceLinkTemplate: `${REPOSITORY}/blob/main/{path}#L{line}`,
    navigationLinks: { Documentation: "../index.html" },
    logLevel: "Warn",
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the sources");
  app.validate(project);
  if (app.logger.hasWarnings() || app.logger.hasErrors()) throw new Error("TypeDoc has complaints");
  await app.generateDocs(project, into);
}
