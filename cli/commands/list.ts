/** `resnetc list`: the standard library's networks. */
import { Command } from "commander";
import { examples } from "../arguments.js";
import { renderTable } from "../table.js";
import { loadModel } from "../target.js";
import { colours, count, print, printJson } from "../terminal.js";

interface Options {
  readonly names?: boolean;
  readonly json?: boolean;
}

export function listCommand(): Command {
  return new Command("list")
    .description("list the networks of the standard library, with parameters and multiply-adds")
    .option("--names", "names alone, one a line")
    .option("--json", "for programs")
    .addHelpText("after", examples(["resnetc list", "what a target can be called without a file"]))
    .action(async (options: Options) => {
      const { standardTargets } = await import("../../compiler/analyze.js");
      const { summarize } = await import("../../compiler/summary.js");
      const names = standardTargets();
      if (options.names) {
        print(names.join("\n"));
        return;
      }
      const rows = [];
      for (const name of names) {
        const { params, macs } = summarize(await loadModel(name));
        rows.push({ name, params, macs });
      }
      if (options.json) printJson({ schema: 1, networks: rows });
      else {
        const head = ["network", "parameters", "multiply-adds"].map((title) => colours.out.dim(title));
        const cells = rows.map(({ name, params, macs }) => [name, count(params), macs === null ? "?" : count(macs)]);
        print(renderTable([head, "rule", ...cells], ["left", "right", "right"]));
      }
    });
}
