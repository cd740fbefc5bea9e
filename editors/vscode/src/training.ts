/** Training a network: `resnetc train` in a terminal, and how far it is. */
import { open, stat } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import type { NetworkId } from "./api.js";
import type { Project } from "./project.js";
import { runResnetc } from "./tasks.js";

/** Recipes of the standard library that are named without a file. */
const RECIPES = ["shapes", "scenes", "cifar10", "imagenet"] as const;
/** Milliseconds between two looks at the metrics. */
const LOOK_EVERY = 1000;
/** Bytes of a file's end that hold its last line. */
const TAIL = 16_384;
/** The exit code of a training that was stopped and has saved. */
const STOPPED = 130;

export async function train({ uri, name }: NetworkId, project: Project, memory: vscode.Memento): Promise<void> {
  const file = vscode.Uri.parse(uri);
  const recipe = await askRecipe(file);
  if (recipe === undefined) return;
  const key = `data ${uri}#${name}`;
  const data = await vscode.window.showInputBox({
    title: `Train ${name}: data`,
    prompt: "shapes, cifar10:FOLDER, coco:FILE, a folder with a folder for each class ... (docs/data.md)",
    value: memory.get(key, "shapes"),
  });
  if (!data) return;
  await memory.update(key, data);
  const output = await vscode.window.showInputBox({
    title: `Train ${name}: folder for checkpoints and the trained model`,
    value: `runs/${name}`,
  });
  if (!output) return;
  const folder = path.resolve(project.folder, output);
  const resume = (await exists(path.join(folder, "checkpoints"))) ? await askResume(output) : [];
  if (!resume) return;
  const target = `${file.fsPath}#${name}`;
  const args = ["train", target, "--recipe", recipe, "--data", data, "-o", folder, ...resume];
  await follow(await runResnetc(project, `train ${name}`, args), name, folder);
}

/** Those of the file, then those of the standard library, or any other. */
async function askRecipe(file: vscode.Uri): Promise<string | undefined> {
  const document = await vscode.workspace.openTextDocument(file);
  const own = [...document.getText().matchAll(/^recipe\s+([A-Za-z_]\w*)/gm)].map(([, name]) => name!);
  const other = "Another ...";
  const items: vscode.QuickPickItem[] = [
    ...own.map((label) => ({ label, description: "of this file" })),
    ...RECIPES.map((label) => ({ label, description: "std/recipes" })),
    { label: other, description: "file.resnet#recipe, or with arguments: shapes(epochs: 5)" },
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: "Train: recipe" });
  if (!chosen) return undefined;
  if (chosen.label === other) return vscode.window.showInputBox({ title: "Train: recipe", value: "shapes(epochs: 5)" });
  return own.includes(chosen.label) ? `${file.fsPath}#${chosen.label}` : chosen.label;
}

async function askResume(output: string): Promise<readonly string[] | undefined> {
  const goOn = "Go on with it";
  const chosen = await vscode.window.showWarningMessage(`${output} holds a training.`, { modal: true }, goOn);
  return chosen === goOn ? ["--resume"] : undefined;
}

/** Shows how far it is until it ends; cancelled, it saves and ends. */
async function follow(execution: vscode.TaskExecution, name: string, folder: string): Promise<void> {
  const ended = new Promise<number | undefined>((resolve) => {
    const listener = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution !== execution) return;
      listener.dispose();
      resolve(event.exitCode);
    });
  });
  const exitCode = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Training ${name}`, cancellable: true },
    async (progress, token) => {
      token.onCancellationRequested(() => execution.terminate());
      const look = setInterval(() => {
        void lastUpdate(folder).then((message) => message && progress.report({ message }));
      }, LOOK_EVERY);
      try {
        return await ended;
      } finally {
        clearInterval(look);
      }
    },
  );
  if (exitCode === 0)
    void vscode.window.showInformationMessage(`${name} is trained: ${path.join(folder, "model.onnx")}`);
  else if (exitCode === STOPPED || exitCode === undefined)
    void vscode.window.showInformationMessage(
      `Training ${name} was stopped; trained again into the same folder it goes on.`,
    );
  else void vscode.window.showErrorMessage(`Training ${name} failed; the terminal says why.`);
}

interface Update {
  readonly step?: number;
  readonly epoch?: number;
  readonly loss?: number;
}

/** `step 120, epoch 1.50, loss 0.412`: the last whole line of the metrics. */
export async function lastUpdate(folder: string): Promise<string | undefined> {
  const line = (await endOf(path.join(folder, "metrics.jsonl"))).split("\n").at(-2);
  if (!line) return undefined;
  const { step, epoch, loss } = JSON.parse(line) as Update;
  return [
    step !== undefined && `step ${step}`,
    epoch !== undefined && `epoch ${epoch.toFixed(2)}`,
    loss !== undefined && `loss ${loss.toPrecision(3)}`,
  ]
    .filter((part) => part !== false)
    .join(", ");
}

/** Long trainings write long files, of which the last line is enough. */
async function endOf(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return "";
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(TAIL), 0, TAIL, start);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function exists(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined)) !== undefined;
}
