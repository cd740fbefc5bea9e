import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { threadArguments } from "../../runtime/thread-arguments.js";

it.each([
  [["--input-type=module", "--no-warnings", "-e", "program"], ["--no-warnings"]],
  [
    ["--input-type", "module", "--eval", "program", "--require", "./.pnp.cjs"],
    ["--require", "./.pnp.cjs"],
  ],
  [
    ["--eval=program", "--experimental-loader", "./.pnp.loader.mjs"],
    ["--experimental-loader", "./.pnp.loader.mjs"],
  ],
  [["-pe", "program"], []],
  [["--max-old-space-size=4096", "--expose-gc"], []],
  [
    ["-r", "./a.cjs", "--conditions=development", "--import=./b.mjs"],
    ["-r", "./a.cjs", "--conditions=development", "--import=./b.mjs"],
  ],
])("%j gives %j", (given, taken) => {
  expect(threadArguments(given)).toEqual(taken);
});

it("a thread starts with what is left of them", async () => {
  const execArgv = threadArguments(["--max-old-space-size=4096", "--no-warnings", "--input-type=module", "-e", "1"]);
  const worker = new Worker("", { eval: true, execArgv });
  expect((await once(worker, "exit"))[0]).toBe(0);
});
