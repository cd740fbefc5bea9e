/** Files that the package carries beside its code. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The package's folder: one up from the source, two up from what tsc makes of it in dist/. */
export const PACKAGE_ROOT: URL = ["../", "../../"]
  .map((up) => new URL(up, import.meta.url))
  .find((folder) => existsSync(new URL("package.json", folder)))!;

export function docsFile(name: string): string {
  return fileURLToPath(new URL(`docs/${name}`, PACKAGE_ROOT));
}

export function templateFolder(name: string): string {
  return fileURLToPath(new URL(`cli/templates/${name}/`, PACKAGE_ROOT));
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL("package.json", PACKAGE_ROOT), "utf8")) as { version: string }).version;
}
