import { expect, it } from "vitest";

it("aligns columns, also where cells have several lines or colours, ours or others'", async () => {
  process.env["FORCE_COLOR"] = "1";
  const { colours, forTerminal } = await import("../../cli/terminal.js");
  const { renderTable } = await import("../../cli/table.js");
  const table = renderTable(
    [["a", "1"], "rule", ["b\nlong", colours.out.bold("20")], ["c", "\u001b[1m"]],
    ["left", "right"],
  );
  expect(forTerminal(table).split("\n")).toEqual([
    "a           1",
    "─────────────",
    "b          \u001b[1m20\u001b[22m",
    "long",
    "c     \\x1b[1m",
  ]);
});
