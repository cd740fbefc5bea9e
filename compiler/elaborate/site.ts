/** Where an expression is evaluated, and how what is wrong there is reported. */
import type { Span } from "../../grammar/ast.js";
import type { Code } from "../diagnostics/codes.js";
import type { Frame } from "../diagnostics/diagnostic.js";
import type { Details, Reporter } from "../diagnostics/reporter.js";
import { helpForUnknown, NOTHING } from "../diagnostics/suggest.js";
import type { Environment } from "./environment.js";
import { UNKNOWN } from "./values.js";

/** Where an expression is evaluated: what its names mean, and the chain of instantiations to report. */
export interface Site {
  readonly reporter: Reporter;
  readonly environment: Environment;
  readonly chain: readonly Frame[];
  /** The statement or expression to blame for what can't be blamed on a part of it. */
  readonly at?: Span;
}

export function fail(site: Site, code: Code, span: Span, message: string, details: Details = {}): typeof UNKNOWN {
  site.reporter.budget.spend(4, span, site.chain);
  site.reporter.report(code, span, message, { chain: site.chain, ...details });
  return UNKNOWN;
}

export function unknownName(
  name: string,
  span: Span,
  site: Site,
  names: () => Iterable<string> = () => site.environment.names(),
  what = NOTHING,
): typeof UNKNOWN {
  return fail(site, "unknown-name", span, `${what} \`${name}\``, {
    help: () => helpForUnknown(name, names),
  });
}
