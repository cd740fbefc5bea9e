/** Which file of the standard library declares a name, for whoever has not imported it. */
import { STANDARD_FILES } from "../std/files.generated.js";

const DECLARED = /^(?:block|shortcut|network|detector|dialect|preprocess|weights|recipe|let) (\w+)/gm;

let files: ReadonlyMap<string, string> | undefined;

/** `std/detection` for `detect`; undefined for what nothing there declares. */
export function standardFileOf(name: string): string | undefined {
  // Looked for at the first unknown name.
  files ??= new Map(
    Object.entries(STANDARD_FILES).flatMap(([file, text]) =>
      [...text.matchAll(DECLARED)].map(([, declared]) => [declared!, file.replace(/\.resnet$/, "")] as const),
    ),
  );
  return files.get(name);
}
