/** Formatting of one source, its syntax errors told. */
import { tell } from "./target.js";

/** The text in the one style; undefined where it has syntax errors, which are told. */
export async function formatSource(text: string, path: string): Promise<string | undefined> {
  const { check, format } = await import("../compiler/index.js");
  const { parse, SYNTAX_ERROR_CODES } = await import("../grammar/parse.js");
  if (parse(text, path).errors.length === 0) return format(text);
  const { diagnostics, sources } = check([{ path, text }]);
  const codes: readonly string[] = SYNTAX_ERROR_CODES;
  tell(
    diagnostics.filter(({ code, span }) => span.file === path && codes.includes(code)),
    sources,
  );
  return undefined;
}
