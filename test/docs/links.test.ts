/** Links within the project lead to files and headings that are there. (Links out of it are tried by hand.) */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { page, PAGES, ROOT } from "../support/pages.js";

const internal = PAGES.flatMap(({ file, links }) =>
  links.filter((link) => !/^(https?|mailto):/.test(link)).map((link) => ({ file, link })),
);

it("there are many", () => expect(internal.length).toBeGreaterThan(140));

it.each(PAGES)("$file: links lead to files and headings", ({ file, links }) => {
  const broken = links.filter((link) => {
    if (/^(https?|mailto):/.test(link)) return false;
    const [target, anchor] = link.split("#") as [string, string?];
    const place = target === "" ? file : path.posix.join(path.posix.dirname(file), decodeURI(target));
    if (!existsSync(path.join(ROOT, place))) return true;
    if (anchor === undefined) return false;
    return !statSync(path.join(ROOT, place)).isFile() || !page(place).anchors.has(decodeURIComponent(anchor));
  });
  expect(broken).toEqual([]);
});

it("a heading's anchor is GitHub's, and two of the same name are told apart", () => {
  const { anchors } = page("docs/training.md");
  expect(anchors).toContain("several-labels-an-image");
  expect(anchors).toContain("the-folder-of-a-run");
});

it("docs/index.md leads to every page once, decisions apart", () => {
  const listed = page("docs/index.md")
    .links.filter((link) => link.endsWith(".md"))
    .map((link) => `docs/${link}`);
  const pages = PAGES.map(({ file }) => file).filter(
    (file) => file.startsWith("docs/") && !file.startsWith("docs/decisions/") && file !== "docs/index.md",
  );
  expect(listed.sort()).toEqual(pages.sort());
});
