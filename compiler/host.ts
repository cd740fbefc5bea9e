/** The little that the compiler needs of the machine it runs on; a browser gives it a map of texts. */
export interface Host {
  /** The text of a file, or undefined where there is none. Paths are as written, with `/` between folders. */
  read(path: string): string | undefined;
}

/** A host of these files alone. */
export function memoryHost(files: Readonly<Record<string, string>>): Host {
  return { read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined) };
}
