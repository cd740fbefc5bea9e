/** Lists in messages. */

/** `a, b, c and 4 more` */
export function firstFew(names: readonly string[], shown = 5): string {
  const rest = names.length - shown;
  return rest <= 0 ? names.join(", ") : `${names.slice(0, shown).join(", ")} and ${rest} more`;
}
