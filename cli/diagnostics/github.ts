/** Diagnostics as commands of GitHub's workflows, which show them beside the lines of a pull request. */
import type { DiagnosticJson } from "../../compiler/diagnostics/render.js";

export function workflowCommands(diagnostics: readonly DiagnosticJson[]): string {
  return diagnostics.map((diagnostic) => `${commandOf(diagnostic)}\n`).join("");
}

function commandOf({ code, severity, message, location, help }: DiagnosticJson): string {
  const { file, line, column, endLine, endColumn } = location;
  const properties = { file, line, col: column, endLine, endColumn, title: code };
  const list = Object.entries(properties).map(([name, value]) => `${name}=${property(String(value))}`);
  return `::${severity} ${list.join(",")}::${data(help === undefined ? message : `${message}\n${help}`)}`;
}

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
