import { readFileSync } from "node:fs";
import type { Host } from "../compiler/host.js";

/** The machine's files, relative paths from the working directory. */
export function fileHost(): Host {
  return {
    read(path) {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return undefined;
      }
    },
  };
}
