/** Imports that are written for whoever uses what another file declares. */
import type { Parsed } from "../workspace/parses.js";
import type { Edit } from "./references.js";
import { isStandard } from "./editor.js";

/** As an import in one file names another: `std/blocks`, `./blocks`, `../nets/blocks`. */
export function importPath(importer: string, path: string): string {
  const short = path.replace(/\.resnet$/, "");
  if (isStandard(path)) return short;
  const [from, to] = [importer.split("/").slice(0, -1), short.split("/")];
  let common = 0;
  while (common < from.length && common < to.length - 1 && from[common] === to[common]) common++;
  const up = from.length - common;
  return `${up === 0 ? "./" : "../".repeat(up)}${to.slice(common).join("/")}`;
}

/** The edit that imports a name: among the others of that file, else a line below the last import. */
export function autoImport(parsed: Parsed, name: string, from: string): Edit {
  const { file, text, path } = parsed;
  const place = (at: number): Edit["span"] => ({ file: path, start: at, end: at });
  const item = file.imports.find((each) => each.from.value === from || each.from.value === `${from}.resnet`);
  const last = item?.names.at(-1);
  if (last) return { span: place(last.span.end), text: `, ${name}` };
  const line = `import { ${name} } from "${from}"\n`;
  const before = file.imports.at(-1);
  if (before) {
    const end = text.indexOf("\n", before.span.end);
    return end < 0 ? { span: place(text.length), text: `\n${line}` } : { span: place(end + 1), text: line };
  }
  // Above the first declaration, and what is said of it; comments at the top of the file stay there.
  const [first] = file.declarations;
  const at = first ? (first.docSpan ?? first.span).start : text.length;
  return { span: place(at), text: `${line}\n` };
}
