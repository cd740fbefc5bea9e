/** Renames that no network has use for: a slip in a pattern is silent otherwise, until a file does not fit. */
import type { Span } from "../../grammar/ast.js";
import type { Reporter } from "../diagnostics/reporter.js";
import type { Model, Rename } from "../model.js";
import { nearestPath, unusedRenames } from "../weights/rename.js";

/** A statement of a name map that a network which declares the map has no use for. */
interface Idle {
  readonly statement: Span;
  readonly rename: Rename;
  readonly why: "nothing" | "taken";
  readonly network: Model;
}

/**
 * Warns of statements of name maps in these files that none of the networks has use for. A map may be for several
 * networks; one that came with a network inside another is used by a part of it, and proves nothing.
 */
export function checkRenames(models: readonly Model[], files: ReadonlySet<string>, reporter: Reporter): void {
  const used = new Set<string>();
  const idle = new Map<string, Idle[]>();
  for (const network of models) {
    for (const map of network.weightMaps) {
      const own = map.renames.filter(({ statements }) => statements?.some(({ file }) => files.has(file)));
      if (own.length === 0) continue;
      const { parameters } = network.graph;
      reporter.budget.spend((map.renames.length * parameters.length) / 4, own[0]!.statements![0]!, []);
      const unused = new Map(unusedRenames(map.renames, parameters).map(({ rename, why }) => [rename, why]));
      for (const rename of own) {
        const why = unused.get(rename);
        for (const statement of rename.statements ?? []) {
          if (why === undefined) used.add(keyOf(statement));
          else if (!map.parts)
            idle.set(keyOf(statement), [...(idle.get(keyOf(statement)) ?? []), { statement, rename, why, network }]);
        }
      }
    }
  }
  for (const [key, found] of idle) {
    const [{ statement, rename }] = found as [Idle];
    // Of what is included in vain, the `include` alone is told.
    const outer = rename.statements!.slice(0, rename.statements!.indexOf(statement));
    if (used.has(key) || !files.has(statement.file) || outer.some((each) => !used.has(keyOf(each)))) continue;
    report(found, reporter);
  }
}

function keyOf({ file, start }: Span): string {
  return `${file} ${start}`;
}

function report(found: readonly Idle[], reporter: Reporter): void {
  const [{ statement, rename, why, network }] = found as readonly [Idle];
  const names = [...new Set(found.map((each) => each.network.name))];
  const networks = names.length > 3 ? `${names.slice(0, 3).join(", ")}, ...` : names.join(" or ");
  const isInclude = rename.statements![0] === statement && rename.statements!.length > 1;
  const taken = found.every((each) => each.why === "taken") && why === "taken";
  if (isInclude) {
    reporter.report("unused-rename", statement, `nothing that this includes is in ${networks}`);
  } else if (taken) {
    reporter.report("unused-rename", statement, `renames before this one take all that it matches in ${networks}`, {
      help: "the first that matches is used: put it before them",
    });
  } else {
    reporter.report("unused-rename", statement, `no layer or tensor of ${networks} is called ${quote(rename.ours)}`, {
      help: () => {
        const near = nearestPath(rename.ours, network.graph.parameters);
        if (rename.reshape) return "with `reshape` it is a tensor's name, such as `head.fc.weight`";
        return near === undefined ? undefined : `did you mean ${quote(near)}?`;
      },
    });
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}
