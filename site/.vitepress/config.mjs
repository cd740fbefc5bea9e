// How VitePress makes the site of what site/build.mjs has laid out.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY, ROOT, sections, siteLink, slug } from "../pages.mjs";

const pages = process.env.RESNETC_SITE_PAGES;
if (pages === undefined) throw new Error("the site is built by: npm run site -- FOLDER");
const { api, playground } = JSON.parse(process.env.RESNETC_SITE_LINKS);

const grammar = JSON.parse(readFileSync(path.join(ROOT, "editors/vscode/syntaxes/resnet.tmLanguage.json"), "utf8"));
const index = sections(readFileSync(path.join(ROOT, "docs/index.md"), "utf8"));

const titleOf = (file) => /^# (.*)$/m.exec(readFileSync(path.join(pages, file), "utf8"))[1].replaceAll("`", "");
const listing = (folder) =>
  readdirSync(path.join(pages, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => ({ text: titleOf(`${folder}/${name}`), link: `/${folder}/${name.slice(0, -3)}` }));

/** A block and its shortcut, as an address of its own: no file to be found below an unknown path. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#3451b2" stroke-width="2">' +
    '<path d="M5 1v14M5 3h6a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H5"/><path d="M2 8h6" stroke-width="4"/></svg>',
)}`;

/** Outside of VitePress's own pages, so not to be opened by its router. */
const outside = { target: "_self" };

/** What is made when the site is built stands behind the pages of the section that it belongs to. */
const made = {
  Reference: [
    { text: "Every command and option", link: "/commands" },
    { text: "Standard library", collapsed: true, items: listing("stdlib") },
    ...(api ? [{ text: "Programming interface", link: "/api/index.html", ...outside }] : []),
  ],
  "How it works": [
    { text: "Decisions", collapsed: true, items: listing("decisions").reverse() },
    { text: "Changes", link: "/changes" },
  ],
};

export default {
  srcDir: pages,
  cacheDir: path.join(ROOT, ".cache/vitepress"),
  lang: "en",
  title: "resnetc",
  description: "A language for residual networks and detectors, its compiler to ONNX, and a runtime that trains them.",
  head: [["link", { rel: "icon", href: ICON }]],
  vite: { publicDir: path.join(pages, "public"), build: { chunkSizeWarningLimit: 2000 }, logLevel: "warn" },
  markdown: {
    languages: [{ ...grammar, aliases: ["resnet-target"] }],
    anchor: { slugify: slug },
    // Braces and colons are the language's, not Markdown's.
    attrs: false,
    emoji: false,
    footnote: false,
    config(md) {
      md.core.ruler.push("repository_links", ({ tokens, env }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const href = token.type === "link_open" ? token.attrGet("href") : null;
          const page = env.relativePath;
          const source = page === "changes.md" ? "CHANGELOG.md" : `docs/${page}`;
          if (href !== null) token.attrSet("href", siteLink(href, source));
        }
      });
    },
  },
  themeConfig: {
    nav: [
      ...index.sections.map(({ text, items }) => ({ text, items })),
      ...(api ? [{ text: "API", link: "/api/index.html", ...outside }] : []),
      ...(playground ? [{ text: "Playground", link: "/playground/index.html", ...outside }] : []),
    ],
    sidebar: index.sections.map(({ text, items }) => ({ text, items: [...items, ...(made[text] ?? [])] })),
    outline: { level: [2, 3] },
    search: { provider: "local" },
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    footer: { message: "MIT licence" },
    externalLinkIcon: true,
  },
};
