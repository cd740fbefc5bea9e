/** What the extension does on a desktop and in a browser alike, once a client runs. */
import * as vscode from "vscode";
import type { LanguageClientOptions } from "vscode-languageclient";
import { LENS_COMMANDS, STANDARD_SCHEME, type Machine } from "./api.js";
import { registerCommands } from "./commands.js";
import { NetworkPanel } from "./panel.js";
import { supplyFiles } from "./supply.js";

/** How the client is set up; the rest is the server's business. */
export function clientOptions(): LanguageClientOptions {
  const folders = vscode.workspace.workspaceFolders ?? [];
  // Not the texts of other times that Git shows beside the present one.
  const schemes = new Set(["file", "untitled", STANDARD_SCHEME, ...folders.map(({ uri }) => uri.scheme)]);
  return {
    documentSelector: [...schemes].map((scheme) => ({ scheme, language: "resnet" })),
    initializationOptions: {
      // A copy: VS Code's own object can't be sent to a worker.
      inlayHints: { ...vscode.workspace.getConfiguration("resnetc").get<object>("inlayHints") },
      commands: LENS_COMMANDS,
      virtualStandard: true,
    },
  };
}

export async function start(context: vscode.ExtensionContext, machine: Machine): Promise<void> {
  const { client } = machine;
  const panel = new NetworkPanel(context.extensionUri, client);
  const status = vscode.languages.createLanguageStatusItem("resnetc", { language: "resnet" });
  status.name = "resnetc";
  status.text = `resnetc ${machine.version}`;
  status.detail = machine.server;
  context.subscriptions.push(
    panel,
    status,
    ...registerCommands(machine, panel),
    vscode.workspace.registerTextDocumentContentProvider(STANDARD_SCHEME, {
      provideTextDocumentContent: async (uri) =>
        (await client.sendRequest<string | null>("resnetc/source", { uri: uri.toString() })) ?? "",
    }),
  );
  context.subscriptions.push(await supplyFiles(machine));
}
