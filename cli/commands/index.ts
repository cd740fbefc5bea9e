/** Every command, in the order in which `--help` lists them. */
import type { Command } from "commander";
import { benchCommand } from "./bench.js";
import { checkCommand } from "./check.js";
import { classifyCommand } from "./classify.js";
import { completionCommand } from "./completion.js";
import { compileCommand } from "./compile.js";
import { detectCommand } from "./detect.js";
import { doctorCommand } from "./doctor.js";
import { evalCommand } from "./eval.js";
import { explainCommand } from "./explain.js";
import { exportCommand } from "./export.js";
import { figureCommand } from "./figure.js";
import { findRateCommand } from "./find-rate.js";
import { fmtCommand } from "./fmt.js";
import { helpCommand } from "./help.js";
import { initCommand } from "./init.js";
import { listCommand } from "./list.js";
import { lspCommand } from "./lsp.js";
import { plotCommand } from "./plot.js";
import { responsesCommand } from "./responses.js";
import { summaryCommand } from "./summary.js";
import { trainCommand } from "./train.js";
import { tuneCommand } from "./tune.js";
import { versionCommand } from "./version.js";

export const COMMANDS: readonly (() => Command)[] = [
  initCommand,
  checkCommand,
  explainCommand,
  fmtCommand,
  lspCommand,
  listCommand,
  summaryCommand,
  figureCommand,
  compileCommand,
  classifyCommand,
  detectCommand,
  benchCommand,
  exportCommand,
  trainCommand,
  findRateCommand,
  tuneCommand,
  evalCommand,
  plotCommand,
  responsesCommand,
  doctorCommand,
  completionCommand,
  versionCommand,
  helpCommand,
];
