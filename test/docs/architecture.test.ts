/** What docs/architecture.md names is there. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const text = readFileSync(path.join(ROOT, "docs/architecture.md"), "utf8");

/** Each section's paths are below its folder, those of the others below the root. */
const sections = text.split(/^## /m).map((section) => ({
  folder: /^(grammar|compiler|runtime|editors|cli)\/\n/.exec(section)?.[1] ?? "",
  names: [...section.matchAll(/`([\w./-]+(?:\.ts|\.js|\/))`/g)].map(([, name]) => name!),
}));

it.each(sections.flatMap(({ folder, names }) => names.map((name) => ({ name, folder }))))(
  "$folder $name is there",
  ({ name, folder }) => {
    expect([path.join(ROOT, folder, name), path.join(ROOT, name)].some(existsSync)).toBe(true);
  },
);

it("it names the folders, and says how to add what is added most", () => {
  expect(sections.flatMap(({ names }) => names).length).toBeGreaterThan(50);
  for (const what of [
    "operator",
    "layer",
    "statement",
    "diagnostic",
    "pass",
    "optimiser",
    "augmentation",
    "command",
    "data set",
  ]) {
    expect(text).toMatch(new RegExp(`^\\| [^|]*${what}[^|]*\\|`, "m"));
  }
});
