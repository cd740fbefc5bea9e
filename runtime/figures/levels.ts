/** Output sizes that columns have in common: they stand level, as in figure 3. */
import type { Column, Row } from "./plan.js";

/** Output sizes that two columns must share to be aligned; the 1x1 at the end alone aligns nothing. */
const SHARED = 2;

/** Neighbouring columns that have output sizes in common; one that is drawn as a graph stands for itself. */
export function alignable(columns: readonly Column[]): Column[][] {
  const groups: Column[][] = [];
  for (const column of columns) {
    const last = groups.at(-1) ?? [];
    const known = new Set(last.flatMap((other) => sizesOf(other.rows)));
    const shared = new Set(sizesOf(column.rows).filter((size) => known.has(size)));
    if (shared.size >= SHARED && column.isChain && last.every((other) => other.isChain)) last.push(column);
    else groups.push([column]);
  }
  return groups;
}

/** Output sizes in the order in which they come, each stretch once. */
export function sizesOf(rows: readonly Row[]): string[] {
  return rows.map((row) => row.size).filter((size, index, all) => size !== all[index - 1]);
}

/**
 * One order of levels in which every column's sizes appear in their own order: what they have in common stands level
 * (a longest common subsequence of each with those before it), what one alone has stands between.
 */
export function commonOrder(sequences: readonly (readonly string[])[]): string[] {
  return sequences.reduce<string[]>((merged, next) => {
    const common = longestCommon(merged, next);
    const result: string[] = [];
    let [left, right] = [0, 0];
    for (const size of [...common, undefined]) {
      // What comes only in the second stands first: the size that an image enters with comes before what strides make.
      while (right < next.length && next[right] !== size) result.push(next[right++]!);
      while (left < merged.length && merged[left] !== size) result.push(merged[left++]!);
      if (size !== undefined) {
        result.push(size);
        left++;
        right++;
      }
    }
    return result;
  }, []);
}

function longestCommon(a: readonly string[], b: readonly string[]): string[] {
  const best: string[][][] = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => []));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [skipA, skipB] = [best[i + 1]![j]!, best[i]![j + 1]!];
      best[i]![j] = a[i] === b[j] ? [a[i]!, ...best[i + 1]![j + 1]!] : skipA.length >= skipB.length ? skipA : skipB;
    }
  }
  return best[0]![0]!;
}

/** Which level each row belongs to. */
export function levelOfRows(rows: readonly Row[], levels: readonly string[]): number[] {
  let level = 0;
  return rows.map((row, index) => {
    if (index > 0 && row.size === rows[index - 1]!.size) return level;
    level = levels.indexOf(row.size, index === 0 ? 0 : level + 1);
    return level;
  });
}
