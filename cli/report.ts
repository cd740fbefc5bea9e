/** What `--json` prints: one document, whatever becomes of the command (docs/schemas). */
import { stat } from "node:fs/promises";
import type { Findings } from "../compiler/analyze.js";
import { diagnosticToJson, type DiagnosticJson } from "../compiler/diagnostics/render.js";
import { isJsonPrinted, printJson, loggedWarnings } from "./terminal.js";

const problems: DiagnosticJson[] = [];

/** Problems of sources that were told, for the report or the failure that follows. */
export function keepProblems({ diagnostics, sources }: Findings): void {
  problems.push(...diagnostics.map((diagnostic) => diagnosticToJson(diagnostic, sources)));
}

export function keptProblems(): readonly DiagnosticJson[] {
  return problems;
}

interface ReportFields extends Readonly<Record<string, unknown>> {
  readonly warnings?: readonly string[];
}

/** In one line, of the sources' errors. */
export function firstError(): string | undefined {
  const error = problems.find(({ severity }) => severity === "error");
  return error && inALine(error);
}

/** The report of a command that did what it was asked for, with all that it warned of. */
export function printReport({ warnings = [], ...fields }: ReportFields): void {
  const ofSources = problems.filter(({ severity }) => severity === "warning").map(inALine);
  const all = new Set([...ofSources, ...loggedWarnings(), ...warnings]);
  printJson({ schema: 1, ...fields, warnings: [...all] });
}

/**
 * Why there is no report, unless there is one.
 *
 * @param message undefined where the problems of the sources say it
 */
export function printFailure(message: string | undefined, exitCode: number): void {
  if (isJsonPrinted()) return;
  const reason = message ?? firstError() ?? "stopped before its end";
  printJson({ schema: 1, error: { message: reason, exitCode }, diagnostics: problems, warnings: loggedWarnings() });
}

/** `--json`, or `--format json`, among the words of a command line. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.some(
    (word, at) => word === "--json" || word === "--format=json" || (word === "json" && words[at - 1] === "--format"),
  );
}

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

/** Files that were written, as reports name them. */
export function writtenFiles(paths: readonly (string | undefined)[]): Promise<WrittenFile[]> {
  const given = paths.filter((path) => path !== undefined);
  return Promise.all(given.map(async (path) => ({ path, bytes: (await stat(path)).size })));
}

function inALine({ location: { file, line, column }, message }: DiagnosticJson): string {
  return `${file}:${line}:${column}: ${message}`;
}
