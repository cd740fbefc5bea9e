/** Formatting of one source, its syntax errors told. */
import { logFindings } from "./target.js";

/** The text in the one style; undefined where it has syntax errors, which are told. */
export async function formatSource(text: string, path: string): Promise<string | undefined> {
  const { format } = await import("../compiler/syntax.js");
  const result = format(text, path);
  if ("text" in result) return result.text;
  const { check } = await import("../compiler/analyze.js");
  const findings = check([{ path, text }]);
  const places = new Set(result.errors.map((error) => `${error.code} ${error.span.start}`));
  const diagnostics = findings.diagnostics.filter(
    ({ code, span }) => span.file === path && places.has(`${code} ${span.start}`),
  );
  const omitted = Math.max(0, result.errors.length - diagnostics.length);
  logFindings({ ...findings, diagnostics, errorCount: diagnostics.length + omitted, warningCount: 0 });
  return undefined;
}
