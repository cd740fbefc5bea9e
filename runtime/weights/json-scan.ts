/** What JSON.parse does not tell of a text, found without building anything. */

export interface JsonScan {
  /** A key that the outermost object has twice: JSON.parse silently keeps the last. Only the first is given. */
  readonly repeated?: string;
  /** Levels of objects and lists; the scan ends where they exceed the limit. */
  readonly depth: number;
}

/** By hand: a regular expression over strings of megabytes runs out of stack. Of a text that is no JSON it says something. */
export function scanJson(text: string, deepest: number): JsonScan {
  const seen = new Set<string>();
  let depth = 0;
  let most = 0;
  let lastString: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      const end = closingQuote(text, i);
      if (depth === 1) lastString = text.slice(i, end + 1);
      i = end;
    } else if (character === "{" || character === "[") {
      most = Math.max(most, ++depth);
      if (depth > deepest) return { depth };
    } else if (character === "}" || character === "]") depth--;
    else if (character === ":" && depth === 1 && lastString !== undefined) {
      const key = unquoted(lastString);
      if (seen.has(key)) return { repeated: key, depth: most };
      seen.add(key);
    }
  }
  return { depth: most };
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}

function closingQuote(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
