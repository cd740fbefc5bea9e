/** `resnetc version` */
import { Command } from "commander";
import { examples } from "../arguments.js";
import { packageVersion } from "../package-files.js";
import { printReport } from "../report.js";
import { print } from "../terminal.js";

export function versionCommand(): Command {
  return new Command("version")
    .description("show the version of the package")
    .option("--json", "for programs")
    .addHelpText("after", examples(["resnetc version", "as resnetc --version; resnetc doctor says more"]))
    .action(({ json }: { json?: boolean }) => {
      const version = packageVersion();
      if (json) printReport({ version });
      else print(version);
    });
}
