import { expect, it } from "vitest";
import { renderTable } from "../../cli/table.js";

it("aligns columns, also where cells have several lines or colours", () => {
  const table = renderTable([["a", "1"], "rule", ["b\nlong", "\u001b[1m20\u001b[22m"]], ["left", "right"]);
  expect(table.split("\n")).toEqual(["a      1", "────────", "b     \u001b[1m20\u001b[22m", "long"]);
});
