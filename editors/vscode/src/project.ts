/** The resnetc that a folder has installed. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";

export interface Project {
  readonly folder: string;
  /** What Node runs. */
  readonly script: string;
  readonly version: string;
}

/** That of the first open folder that has one, in itself or above; of a copy of resnetc's own sources those. */
export async function findProject(): Promise<Project | undefined> {
  for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
    if (uri.scheme !== "file") continue;
    for (let folder = uri.fsPath; ; folder = path.dirname(folder)) {
      for (const place of [path.join(folder, "node_modules/resnetc"), folder]) {
        const version = await versionIn(place);
        if (version !== undefined) return { folder: uri.fsPath, script: path.join(place, "bin/resnetc.js"), version };
      }
      if (path.dirname(folder) === folder) break;
    }
  }
  return undefined;
}

async function versionIn(place: string): Promise<string | undefined> {
  try {
    const text = await readFile(path.join(place, "package.json"), "utf8");
    const { name, version } = JSON.parse(text) as { readonly name?: unknown; readonly version?: unknown };
    return name === "resnetc" && typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}
