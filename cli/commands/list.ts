/** `resnetc list`: the standard library's networks and detectors. */
import { Command } from "commander";
import { examples } from "../arguments.js";
import { renderTable } from "../table.js";
import { loadModel } from "../target.js";
import { printReport } from "../report.js";
import { colours, count, print } from "../terminal.js";

interface Options {
  readonly onlyNames?: boolean;
  readonly json?: boolean;
}

export function listCommand(): Command {
  return new Command("list")
    .description("list the networks and detectors of the standard library, with parameters and multiply-adds")
    .option("--only-names", "names alone, one a line")
    .option("--json", "for programs")
    .addHelpText("after", examples(["resnetc list", "what a target can be called without a file"]))
    .action(async (options: Options) => {
      const { standardTargets } = await import("../../compiler/analyze.js");
      const { summarize } = await import("../../compiler/summary.js");
      const names = standardTargets();
      if (options.onlyNames) {
        if (options.json) printReport({ networks: names.map((name) => ({ name })) });
        else print(names.join("\n"));
        return;
      }
      const rows = [];
      for (const name of names) {
        const model = await loadModel(name);
        const { params, macs } = summarize(model);
        rows.push({ name, params, macs, ...(model.detection && { task: "detection" }) });
      }
      if (options.json) printReport({ networks: rows });
      else {
        const head = ["network", "parameters", "multiply-adds", ""].map((title) => colours.out.dim(title));
        const cells = rows.map(({ name, params, macs, task }) => [
          name,
          count(params),
          macs === null ? "?" : count(macs),
          task === undefined ? "" : "detector",
        ]);
        print(renderTable([head, "rule", ...cells], ["left", "right", "right", "left"]));
      }
    });
}
