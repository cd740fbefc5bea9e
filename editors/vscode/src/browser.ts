/** The extension in a browser: the server runs in a web worker. */
import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/browser";
import { clientOptions, start } from "./extension.js";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const script = vscode.Uri.joinPath(context.extensionUri, "out/server-worker.js");
  const worker = new Worker(script.toString(true));
  const running = new LanguageClient("resnetc", "resnetc", worker, clientOptions());
  client = running;
  await running.start();
  await start(context, {
    client: running,
    server: "bundled with the extension, in a web worker",
    version: versionOf(context),
    isServers: () => false,
    train: async ({ name }) => {
      void vscode.window.showInformationMessage(
        `${name} is not trained in a browser's editor: open the folder in VS Code on a desktop, or run "resnetc train".`,
      );
    },
  });
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}

function versionOf({ extension }: vscode.ExtensionContext): string {
  return (extension.packageJSON as { readonly version: string }).version;
}
