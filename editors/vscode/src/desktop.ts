/** The extension on a desktop: the server is a process, the extension's own or the project's. */
import * as vscode from "vscode";
import { LanguageClient, TransportKind, type ServerOptions } from "vscode-languageclient/node";
import { clientOptions, start } from "./extension.js";
import { findProject, type Project } from "./project.js";
import { registerTasks, runResnetc } from "./tasks.js";
import { train } from "./training.js";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const bundled = vscode.Uri.joinPath(context.extensionUri, "out/server-node.js").fsPath;
  const { version } = context.extension.packageJSON as { readonly version: string };
  const wanted = vscode.workspace.getConfiguration("resnetc").get("server");
  // What a folder holds is not run before somebody trusts it.
  const project = wanted === "project" && vscode.workspace.isTrusted ? await findProject() : undefined;
  if (wanted === "project" && !project) {
    const why = vscode.workspace.isTrusted ? "there is no resnetc in this folder" : "this folder is not trusted";
    void vscode.window.showWarningMessage(`resnetc: ${why}; the server that is bundled with the extension is used.`);
  }
  const options: ServerOptions = project
    ? { command: "node", args: [project.script, "lsp", "--stdio"], options: { cwd: project.folder } }
    : { module: bundled, transport: TransportKind.ipc };
  const running = new LanguageClient("resnetc", "resnetc", options, clientOptions());
  client = running;
  await running.start();
  const need = async (what: string): Promise<Project | undefined> => {
    const found = vscode.workspace.isTrusted ? await findProject() : undefined;
    if (!found) void vscode.window.showErrorMessage(`${what} needs resnetc in the folder: npm install resnetc`);
    return found;
  };
  await start(context, {
    client: running,
    server: project ? `of the project: ${project.script}` : "bundled with the extension",
    version: project?.version ?? version,
    isServers: ({ scheme }) => scheme === "file",
    async train(network) {
      const found = await need("Training");
      if (found) await train(network, found, context.workspaceState);
    },
    async compileWithWeights({ uri, name }, to) {
      const found = await need("Compiling with weights");
      if (!found) return;
      const [weights] =
        (await vscode.window.showOpenDialog({ title: `Weights of ${name}`, openLabel: "Compile" })) ?? [];
      if (!weights) return;
      const target = `${vscode.Uri.parse(uri).fsPath}#${name}`;
      await runResnetc(found, `compile ${name}`, ["compile", target, "--weights", weights.fsPath, "-o", to.fsPath]);
    },
  });
  context.subscriptions.push(registerTasks(findProject));
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}
