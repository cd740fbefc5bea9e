import type { Doc } from "./doc.js";

/** The text of a document on one line; undefined where it can't be on one, or would be longer than `limit`. */
export function flatText(doc: Doc, limit: number): string | undefined {
  let text = "";
  const pending: Doc[] = [doc];
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (typeof part === "string") text += part;
    else if (Array.isArray(part)) for (let i = part.length - 1; i >= 0; i--) pending.push(part[i] as Doc);
    else if (part.type === "line") {
      if ("hard" in part) return undefined;
      if (!("soft" in part)) text += " ";
    } else if (part.type === "fill") pending.push([...part.parts]);
    else if (part.type === "group" || part.type === "indent") pending.push(part.contents);
    else return undefined;
    if (text.length > limit) return undefined;
  }
  return text;
}
