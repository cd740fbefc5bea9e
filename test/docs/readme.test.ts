/** What README.md shows is what the commands beside it give. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget, summarize } from "../../compiler/index.js";
import { figure } from "../../runtime/figures/figure.js";

const root = new URL("../../", import.meta.url);
const readme = await readFile(new URL("README.md", root), "utf8");

function network(target: string) {
  const { model } = elaborate(parseTarget(target));
  if (model === undefined) throw new Error(`${target} has errors`);
  return model;
}

it("the numbers beside table 1 are those of the summary", () => {
  const summary = summarize(network("ResNet50"));
  const numbers = [summary, ...summary.stages].flatMap(({ params, macs }) => [params, macs!]);
  const written = [...readme.matchAll(/\d{1,3}(?:,\d{3})+/g)].map(([text]) => text);
  for (const number of numbers) expect(written).toContain(number.toLocaleString("en-US"));
});

describe("images are what their command draws", () => {
  const commands = [...readme.matchAll(/npx resnetc figure ([\w ]+) -o (docs\/images\/\S+\.svg)/g)];
  it.each(commands.map(([, targets, file]) => [file!, targets!.split(" ")] as const))("%s", async (file, targets) => {
    expect(await readFile(new URL(file, root), "utf8")).toBe(figure(targets.map(network)));
  });
  it("and there is one", () => expect(commands.length).toBeGreaterThan(0));
});

it("the program runs as it stands, on the package as it is built", async () => {
  const program = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(root),
  });
  const { stdout, stderr } = await run;
  expect(stderr).toBe("");
  expect(stdout.match(/probability:/g)).toHaveLength(3);
});
