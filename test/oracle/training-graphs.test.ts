/** The networks that training_golden.py builds are ours as they are now. `UPDATE_ORACLE=1` writes them anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describe as describeNetwork, NETWORKS } from "../compiler/training/networks.js";

describe("networks for PyTorch", () => {
  it.each(Object.keys(NETWORKS))("%s", (name) => {
    const file = new URL(`../golden/training/${name}.graph.json`, import.meta.url);
    const text = `${JSON.stringify(describeNetwork(NETWORKS[name]!))}\n`;
    if (process.env["UPDATE_ORACLE"] === "1") writeFileSync(file, text);
    expect(readFileSync(file, "utf8")).toBe(text);
  });
});
