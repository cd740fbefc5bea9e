/** The standard library is checked as a folder of the user's would be: names, words, values, every network. */
import { expect, it } from "vitest";
import { check } from "../../compiler/index.js";
import { STANDARD_FILES } from "../../compiler/std/files.generated.js";

it("has no problems, not even warnings", () => {
  const files = Object.entries(STANDARD_FILES).map(([path, text]) => ({ path: path.replace("std/", "mine/"), text }));
  const { diagnostics } = check(files);
  expect(diagnostics.map(({ span, message }) => `${span.file}: ${message}`)).toEqual([]);
});
