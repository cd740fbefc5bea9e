/**
 * Lists of the language are arrays; what is known of each is kept beside it, so that nothing has to walk through it. The
 * elements are counted as often as they occur: `[a, a]` has twice those of `a`, and is refused long before walking through
 * it would take time.
 */
import type { Span } from "../../grammar/ast.js";
import { LIMITS } from "../limits.js";
import { fail, type Site } from "./site.js";
import { isList, isRecord, UNKNOWN, type EvalValue, type Unknown } from "./values.js";

interface Known {
  /** Elements at all depths. */
  readonly size: number;
  readonly depth: number;
  /** Whether an unknown value is among them. */
  readonly unknown: boolean;
}

const known = new WeakMap<readonly EvalValue[], Known>();

function describe(list: readonly EvalValue[]): Known {
  const before = known.get(list);
  if (before) return before;
  let [size, depth, unknown] = [list.length, 1, false];
  for (const element of list) {
    if (element === UNKNOWN) unknown = true;
    if (!isList(element)) continue;
    const inner = describe(element);
    size += inner.size;
    depth = Math.max(depth, inner.depth + 1);
    unknown ||= inner.unknown;
  }
  const found = { size, depth, unknown };
  known.set(list, found);
  return found;
}

/** Elements at all depths, for what it costs to go through them. */
export function sizeOf(value: EvalValue): number {
  return isList(value) ? describe(value).size : 1;
}

export function isUnknown(value: EvalValue): value is Unknown {
  return value === UNKNOWN || (isList(value) && describe(value).unknown);
}

/** What can be gone through: a list; one tensor stands for the list of it. */
export function listOf(value: EvalValue): readonly EvalValue[] | undefined {
  if (isList(value)) return value;
  return isRecord(value, "tensor") ? [value] : undefined;
}

/** A list that an expression makes, paid for; unknown where it is too long or too deep, which is reported. */
export function makeList(length: number, elements: () => readonly EvalValue[], span: Span, site: Site): EvalValue {
  const tooLong = (count: number): Unknown =>
    fail(site, "too-large", span, `a list of ${count} elements is beyond reason: ${LIMITS.listElements} at most`);
  if (length > LIMITS.listElements) return tooLong(length);
  site.reporter.budget.spend(2 + length / 8, span, site.chain);
  const list = elements();
  const { size, depth } = describe(list);
  if (size > LIMITS.listElements) return tooLong(size);
  if (depth <= LIMITS.listDepth) return list;
  return fail(site, "too-large", span, `lists more than ${LIMITS.listDepth} deep inside one another`);
}

/** Two texts in a row, paid for; unknown where they are too long, which is reported. */
export function joinText(left: string, right: string, span: Span, site: Site): EvalValue {
  const length = left.length + right.length;
  if (length > LIMITS.stringLength) {
    const most = `${LIMITS.stringLength} at most`;
    return fail(site, "too-large", span, `a string of ${length} characters is beyond reason: ${most}`);
  }
  site.reporter.budget.spend(1 + length / 64, span, site.chain);
  return left + right;
}
