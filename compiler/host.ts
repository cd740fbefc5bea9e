/** The little that the compiler needs of the machine it runs on; a browser gives it a map of texts. */
export interface Host {
  /**
   * The text of a file, or undefined where there is none. Paths are as written, with `/` between folders.
   *
   * @throws UnreadableFile where something is there that is no source file
   */
  read(path: string): string | undefined;
  /** Whether `read` would find it, without reading; by default it is read. */
  exists?(path: string): boolean;
}

/** Whether there is such a file, readable or not. */
export function exists(host: Host, path: string): boolean {
  if (host.exists) return host.exists(path);
  try {
    return host.read(path) !== undefined;
  } catch (error) {
    if (error instanceof UnreadableFile) return true;
    throw error;
  }
}

/** What is at a path can't be read as a source; the message completes "the file PATH": "is a folder". */
export class UnreadableFile extends Error {}

/** A host of these files alone. */
export function memoryHost(files: Readonly<Record<string, string>>): Host {
  return { read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined) };
}
