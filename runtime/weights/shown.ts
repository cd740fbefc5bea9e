/** What stands in a message of what a file says: short, and without characters that a terminal would obey. */

const MOST_DIMENSIONS = 8;

/** In quotes, with escapes, cut to a length. */
export function shownName(name: string, longest = 100): string {
  return JSON.stringify(shortened(name, longest));
}

/** Without quotes. */
export function plainName(name: string, longest = 100): string {
  return shortened(name, longest).replaceAll(/[^\x20-\x7e\xa0-\u2027\u2030-\uffff]/g, "?");
}

/** `[64, 3, 7, 7]` */
export function shownShape(shape: readonly number[]): string {
  const shown = shape.slice(0, MOST_DIMENSIONS).join(", ");
  return `[${shown}${shape.length > MOST_DIMENSIONS ? `, ... (${shape.length} dimensions)` : ""}]`;
}

function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}...`;
}
