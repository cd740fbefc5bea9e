/** Sends the server the sources that it can't read itself: all of them in a browser, those of a repository that is not cloned. */
import * as vscode from "vscode";
import type { Machine } from "./api.js";

const SKIPPED = new Set(["node_modules", "dist", ".git"]);
const MOST_FILES = 5000;

export async function supplyFiles({ client, isServers }: Machine): Promise<vscode.Disposable> {
  const send = (files: Readonly<Record<string, string | null>>): Promise<void> =>
    client.sendNotification("resnetc/files", files);
  const sendOne = async (uri: vscode.Uri): Promise<void> => {
    if (!isServers(uri)) await send({ [uri.toString()]: await textOf(uri) });
  };
  const watcher = vscode.workspace.createFileSystemWatcher("**/*.resnet");
  watcher.onDidCreate(sendOne);
  watcher.onDidChange(sendOne);
  watcher.onDidDelete((uri) => (isServers(uri) ? undefined : send({ [uri.toString()]: null })));
  const sendFolders = async (folders: readonly vscode.WorkspaceFolder[]): Promise<void> => {
    const found: vscode.Uri[] = [];
    for (const { uri } of folders) if (!isServers(uri)) await collect(uri, found);
    if (found.length === 0) return;
    const texts = await Promise.all(found.map(async (uri) => [uri.toString(), await textOf(uri)] as const));
    await send(Object.fromEntries(texts));
  };
  await sendFolders(vscode.workspace.workspaceFolders ?? []);
  const changes = vscode.workspace.onDidChangeWorkspaceFolders(({ added }) => sendFolders(added));
  return vscode.Disposable.from(watcher, changes);
}

/** Null where it can't be read: then it is not there. */
async function textOf(uri: vscode.Uri): Promise<string | null> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return null;
  }
}

/** Goes through folders by itself: not every file system of a browser can be searched. */
async function collect(folder: vscode.Uri, found: vscode.Uri[]): Promise<void> {
  let entries: [string, vscode.FileType][];
  try {
    entries = await vscode.workspace.fs.readDirectory(folder);
  } catch {
    // A folder that is gone, or may not be read, has none.
    return;
  }
  for (const [name, type] of entries) {
    if (found.length >= MOST_FILES) return;
    const uri = vscode.Uri.joinPath(folder, name);
    if (type & vscode.FileType.Directory) {
      if (!SKIPPED.has(name)) await collect(uri, found);
    } else if (name.endsWith(".resnet")) found.push(uri);
  }
}
