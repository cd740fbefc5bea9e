/** What a declaration depends on: itself, and whatever the names in it lead to, in its file and those that it imports. */
import type { Span } from "../../grammar/ast.js";
import { resolveImport } from "../program.js";
import type { Parsed } from "./parses.js";

/** The file of a path, as it is now; undefined where there is none. */
export type FileOf = (path: string) => Parsed | undefined;

/** Where a name of a file comes from: another file (undefined: there is none), or itself. */
interface Origin {
  readonly path: string | undefined;
  readonly name: string;
}

const origins = new WeakMap<Parsed, ReadonlyMap<string, Origin>>();

/** The names that a file knows: those that it imports, and those that it declares. */
export function originsOf(parsed: Parsed): ReadonlyMap<string, Origin> {
  const known = origins.get(parsed);
  if (known) return known;
  const found = new Map<string, Origin>();
  for (const item of parsed.file.imports) {
    const path = resolveImport(parsed.path, item.from.value);
    for (const { name, alias } of item.names) found.set((alias ?? name).text, { path, name: name.text });
  }
  for (const name of parsed.declared.keys()) if (!found.has(name)) found.set(name, { path: parsed.path, name });
  origins.set(parsed, found);
  return found;
}

/** What something was found out of, to be compared. */
export interface Dependencies {
  /** Every declaration that takes part: the same where all of them are. */
  readonly key: string;
  /** The files in which they stand. */
  readonly files: readonly Parsed[];
}

/** Those of a declaration, as far as the names in it lead. */
export function dependenciesOf(path: string, name: string, fileOf: FileOf): Dependencies {
  const seen = new Set<string>();
  const parts: string[] = [];
  const files = new Set<Parsed>();
  const open: Origin[] = [{ path, name }];
  for (let next = open.pop(); next; next = open.pop()) {
    const file = next.path === undefined ? undefined : fileOf(next.path);
    const id = `${next.path ?? ""}#${next.name}`;
    if (seen.has(id)) continue;
    seen.add(id);
    const found = file?.declared.get(next.name);
    parts.push(`${id}:${found?.written.number ?? "?"}`);
    if (!file || !found) continue;
    files.add(file);
    const known = originsOf(file);
    for (const mention of found.written.mentions()) {
      const origin = known.get(mention);
      if (origin) open.push(origin);
    }
  }
  return { key: parts.join(" "), files: [...files] };
}

/** The names that stand beside these declarations, of which one may be suggested in place of a misspelt one. */
export function namesBeside({ files }: Dependencies): string {
  return files.map((file) => [...originsOf(file).keys()].join(" ")).join("\n");
}

/** The place in another version of its file, whose declaration has moved but not changed. */
export function movedSpan(span: Span, from: Parsed | undefined, to: Parsed | undefined): Span {
  if (!from || !to || from === to) return span;
  const around = declarationAt(from, span.start);
  const now = around && to.declared.get(around);
  if (!now) return span;
  const by = now.declaration.span.start - from.declared.get(around)!.declaration.span.start;
  return by === 0 ? span : { file: span.file, start: span.start + by, end: span.end + by };
}

/** The name of the declaration that a place belongs to. */
function declarationAt({ file, declared }: Parsed, offset: number): string | undefined {
  const { declarations } = file;
  let [low, high] = [0, declarations.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (declarations[middle]!.span.end < offset) low = middle + 1;
    else high = middle;
  }
  const found = declarations[low];
  return found && found.span.start <= offset && declared.get(found.name.text)?.declaration === found
    ? found.name.text
    : undefined;
}
