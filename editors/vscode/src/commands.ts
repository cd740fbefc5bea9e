/** The commands: of code lenses, which name a network, and of the palette, which mean the one at the cursor. */
import * as vscode from "vscode";
import type { CompileAnswer, CompileParams, Machine, NetworkAnswer, NetworkId } from "./api.js";
import type { NetworkPanel, View } from "./panel.js";

export function registerCommands(machine: Machine, panel: NetworkPanel): vscode.Disposable[] {
  const show =
    (view: View) =>
    (uri?: string, target?: string): Promise<void> =>
      panel.show(view, named(uri, target));
  const withNetwork =
    (action: (network: NetworkId) => Promise<void>) =>
    async (uri?: string, target?: string): Promise<void> => {
      const network = named(uri, target) ?? (await networkAtCursor(machine));
      if (network) await action(network);
      else
        void vscode.window.showInformationMessage("There is no network here: open a .resnet file that declares one.");
    };
  const commands: Readonly<Record<string, (uri?: string, target?: string) => Promise<void>>> = {
    figure: show("figure"),
    summary: show("summary"),
    compile: withNetwork((network) => compile(machine, network)),
    train: withNetwork((network) => machine.train(network)),
  };
  return Object.entries(commands).map(([name, run]) =>
    vscode.commands.registerCommand(`resnetc.${name}`, async (uri?: unknown, target?: unknown) => {
      try {
        await run(
          ...([uri, target].map((each) => (typeof each === "string" ? each : undefined)) as [string?, string?]),
        );
      } catch (error) {
        void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
      }
    }),
  );
}

/** What a lens names: the address of a file, and `PATH#NAME`. */
function named(uri: string | undefined, target: string | undefined): NetworkId | undefined {
  return uri === undefined || target === undefined
    ? undefined
    : { uri, name: target.slice(target.lastIndexOf("#") + 1) };
}

async function networkAtCursor({ client }: Machine): Promise<NetworkId | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "resnet") return undefined;
  const { line, character } = editor.selection.active;
  const answer = await client.sendRequest<NetworkAnswer | null>("resnetc/network", {
    textDocument: { uri: editor.document.uri.toString() },
    position: { line, character },
  });
  return answer?.network;
}

/** How a network can be compiled. */
interface Choice extends vscode.QuickPickItem {
  readonly how: "random" | "none" | "file";
}

async function compile(machine: Machine, network: NetworkId): Promise<void> {
  const choices: Choice[] = [
    { how: "random", label: "Random weights", detail: "a complete model, to try and to measure" },
    { how: "none", label: "Structure only", detail: "the parameters are inputs of the model" },
    ...(machine.compileWithWeights
      ? [
          {
            how: "file" as const,
            label: "Weights of a file",
            detail: ".safetensors, .pth, .caffemodel: resnetc compile",
          },
        ]
      : []),
  ];
  const choice = await vscode.window.showQuickPick(choices, { title: `Compile ${network.name} to ONNX` });
  if (!choice) return;
  const folder = vscode.Uri.joinPath(vscode.Uri.parse(network.uri), "..");
  const to = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(folder, `${network.name}.onnx`),
    filters: { "ONNX models": ["onnx"] },
  });
  if (!to) return;
  if (choice.how === "file") return machine.compileWithWeights?.(network, to);
  const title = `Compiling ${network.name}`;
  const written = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    write(machine, { network, withWeights: choice.how === "random" }, to),
  );
  const bytes = written.files.reduce((sum, each) => sum + each.bytes, 0);
  const weights = choice.how === "random" ? "with random weights" : "without weights";
  void vscode.window.showInformationMessage(`${network.name}: ${(bytes / 1e6).toFixed(1)} MB written, ${weights}.`);
}

async function write({ client, isServers }: Machine, params: CompileParams, to: vscode.Uri): Promise<CompileAnswer> {
  const isWritten = isServers(to);
  const answer = await client.sendRequest<CompileAnswer>("resnetc/compile", {
    ...params,
    ...(isWritten && { to: to.toString() }),
  });
  for (const content of answer.contents ?? []) await vscode.workspace.fs.writeFile(to, content);
  return answer;
}
