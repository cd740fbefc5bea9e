/** What programs import is documented, with every type that it names, and its types need no package that they may lack. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Application, Logger, LogLevel } from "typedoc";
import ts from "typescript";
import { expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Manifest;

/** Keeps what is wrong in place of printing it. */
class Complaints extends Logger {
  readonly lines: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level === LogLevel.Warn || level === LogLevel.Error) this.lines.push(message);
  }
}

it("the reference is complete: all types are exported, all exports are documented, all links lead somewhere", async () => {
  const app = await Application.bootstrapWithPlugins({
    options: path.join(ROOT, "typedoc.json"),
    // A copy of the sources that was cloned from nowhere has no address for links to them.
    disableGit: true,
    sourceLinkTemplate: "{path}",
  });
  const complaints = new Complaints();
  app.logger = complaints;
  const project = await app.convert();
  // As programs import them.
  const imported = Object.entries(manifest.exports).flatMap(([name, entry]) =>
    typeof entry === "string" ? [] : [path.posix.join("resnetc", name)],
  );
  expect(project?.children?.map(({ name }) => name).sort()).toEqual(imported.sort());
  app.validate(project!);
  expect(complaints.lines).toEqual([]);
}, 180_000);

it("published types need Node's and those of the package's own dependencies, and nothing else", () => {
  const entries = Object.values(manifest.exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry.types]));
  expect(entries.length).toBe(6);
  /** Packages by the file that names them. */
  const needed: { readonly name: string; readonly by: string }[] = [];
  const seen = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { fileName: name } of ts.preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles) {
      if (name.startsWith(".")) walk(path.resolve(path.dirname(file), name).replace(/\.js$/, ".d.ts"));
      else needed.push({ name, by: path.relative(ROOT, file) });
    }
  };
  for (const entry of entries) walk(path.resolve(ROOT, entry));
  expect(seen.size).toBeGreaterThan(50);
  expect(needed.filter(({ name }) => !shipsTypes(name))).toEqual([]);
});

/** Whether whoever installs this package has the types of that one. */
function shipsTypes(name: string): boolean {
  if (name.startsWith("node:")) return true;
  const [, owner, sub] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/.exec(name)!;
  if (!Object.hasOwn(manifest.dependencies, owner!)) return false;
  const folder = path.join(ROOT, "node_modules", owner!);
  if (sub !== undefined) return existsSync(path.join(folder, `${sub}.d.ts`));
  const { types, typings, exports } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
    readonly [field: string]: unknown;
  };
  return types !== undefined || typings !== undefined || /"types":/.test(JSON.stringify(exports ?? {}));
}
