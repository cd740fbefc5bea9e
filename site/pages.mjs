// What the site is made of. docs/index.md says which pages there are and in which order, for readers of the repository
// and for the site's navigation alike.
import { readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "..");

const { homepage } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
export const REPOSITORY = homepage.replace(/#.*/, "");

/**
 * The headings of docs/index.md with the pages that stand below each.
 *
 * @param {string} text
 */
export function sections(text) {
  const [head, ...parts] = text.split(/^## /m);
  const title = /^# (.*)$/m.exec(head)[1];
  const tagline = head
    .replace(/^# .*$/m, "")
    .trim()
    .replace(/\s+/g, " ");
  return {
    title,
    tagline,
    sections: parts.map((part) => ({
      text: part.slice(0, part.indexOf("\n")).trim(),
      items: [...part.matchAll(/^- \[([^\]]+)\]\(([^)#\s]+)\.md\)/gm)].map(([, text, link]) => ({
        text,
        link: `/${link}`,
      })),
    })),
  };
}

/**
 * Where a link leads in the site. What lies outside of docs/ is in the repository, but for the standard library, which has
 * pages.
 *
 * @param {string} link as it is written
 * @param {string} source the file that it is written in
 */
export function siteLink(link, source) {
  if (/^([a-z]+:|#|\/)/.test(link)) return link;
  const [, file, hash = ""] = /^([^#]*)(#.*)?$/.exec(link);
  const target = path.posix.join(path.posix.dirname(source), file);
  if (target.startsWith("docs/")) return `/${target.slice("docs/".length)}${hash}`;
  const library = /^stdlib\/(\w+)\.resnet$/.exec(target);
  return library ? `/stdlib/${library[1]}.md` : `${REPOSITORY}/blob/main/${target}${hash}`;
}

/**
 * The anchor that GitHub gives a heading, so that a link leads to the same place in the repository and in the site.
 *
 * @param {string} heading
 */
export function slug(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation}\- ]/gu, "")
    .replace(/ /g, "-");
}
