/**
 * A table's entry for a word that somebody wrote, undefined where it has none. Every object inherits `constructor`,
 * `toString` and `__proto__`, so a table is never indexed by such a word directly.
 */
export function own<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
