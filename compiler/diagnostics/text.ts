/** Text that somebody else wrote, on its way to a reader: not too long, and without power over a terminal. */

/** Characters of a message: names in it may be long, and lists of names longer. */
const LONGEST = 2500;

/** The beginning of a text that is too long, with a mark that there was more. */
export function shortened(text: string, longest = LONGEST): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}...`;
}

/**
 * Control characters (a terminal obeys them), marks that change the direction of writing (what is read is not what is
 * there), line and paragraph separators, and halves of characters. Tab and newline are not among them.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/** The text with such characters written as escapes: `\x1b`, `\u202e`. Newlines and tabs stay. */
export function visible(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same on one line: newlines and tabs are escapes too. */
export function visibleLine(text: string): string {
  return visible(text).replace(/[\n\t]/g, (character) => (character === "\n" ? "\\n" : "\\t"));
}

/** As JSON writes it; JSON.stringify itself leaves some of them as they are. */
export function jsonText(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? "null").replace(
    UNSAFE,
    // Newlines of the layout are none of these, and all others were escaped before.
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
