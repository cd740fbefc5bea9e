/** The extension's own code without an editor: a stub in place of `vscode`, the language server itself behind it. */
import { appendFile, mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type * as vscode from "vscode";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SuppliedFiles } from "../../editors/server/supplied.js";
import type { Client as ExtensionClient, Machine, NetworkId } from "../../editors/vscode/src/api.js";
import { start } from "../../editors/vscode/src/extension.js";
import type { FromPage, ToPage } from "../../editors/vscode/src/panel.js";
import { findProject } from "../../editors/vscode/src/project.js";
import { registerTasks } from "../../editors/vscode/src/tasks.js";
import { lastUpdate, train } from "../../editors/vscode/src/training.js";
import { startClient, type Client } from "./client.js";
import * as stub from "./vscode-stub.js";

const { stage } = stub;
const NET = `import { part } from "./part"
network A {
  input image 3x32x32
  conv 3x3, 16   bn
  part(16)
}
network B { input image 3x8x8   relu }
`;
const URI = "memfs:/net.resnet";

let server: Client;
let context: { readonly extensionUri: stub.Uri; readonly subscriptions: { dispose(): unknown }[] };
let trained: NetworkId[];

beforeEach(async () => {
  // As a web worker has it.
  const supplied = new SuppliedFiles();
  server = await startClient({
    initializationOptions: { virtualStandard: true },
    platform: {
      read: (path) => supplied.read(path),
      list: async () => supplied.paths(),
      supply: (given) => supplied.supply(given),
    },
  });
  Object.assign(stage, {
    said: [],
    posted: [],
    tasks: [],
    shown: [],
    progress: [],
    folders: [],
    html: "",
    isTrusted: true,
  });
  stage.answers.clear();
  stage.files.clear();
  context = { extensionUri: stub.Uri.file("/extension"), subscriptions: [] };
  trained = [];
});
afterEach(() => {
  for (const each of context.subscriptions) each.dispose();
  stub.window.activeTextEditor = undefined;
  server.stop();
});

/** Starts the extension as in a browser: the server has what it is sent. */
async function startExtension(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) stage.files.set(name, text);
  stage.folders = [{ uri: stub.Uri.parse("memfs:/") }];
  const client: ExtensionClient = {
    async sendRequest<T>(method: string, params: unknown): Promise<T> {
      const answer = await server.request<T & { contents?: object[] }>(method, params);
      // A worker's messages keep arrays of bytes as they are; the streams of this test don't.
      return answer?.contents
        ? { ...answer, contents: answer.contents.map((each) => Uint8Array.from(Object.values(each))) }
        : answer;
    },
    sendNotification: (method, params) => server.connection.sendNotification(method, params),
  };
  const machine: Machine = {
    client,
    server: "in this test",
    version: "1",
    isServers: () => false,
    train: async (network) => void trained.push(network),
  };
  await start(context as unknown as vscode.ExtensionContext, machine);
}

function edit(uri: string, text: string, piece: string): stub.TextEditor {
  server.open(uri, text);
  const { line, character } = server.at(uri, piece, 1);
  const editor = {
    document: { uri: stub.Uri.parse(uri), languageId: "resnet", getText: () => text },
    viewColumn: 1,
    selection: { active: new stub.Position(line, character) },
  };
  stub.window.activeTextEditor = editor;
  stub.window.visibleTextEditors = [editor];
  return editor;
}

const run = (name: string, ...args: unknown[]): Promise<void> => stage.commands.get(`resnetc.${name}`)!(...args);
const fromPage = (message: FromPage): Promise<void> => stage.fromPage.fire(message);
const lastPosted = (): ToPage => stage.posted.at(-1) as ToPage;

it("sends the server the sources that it can't read, and what becomes of them", async () => {
  await startExtension({
    "/part.resnet": "block part(width) { conv 3x3, width }",
    "/node_modules/x/y.resnet": "block y {",
  });
  edit(URI, NET, "conv");
  expect(await server.diagnostics(URI)).toEqual([]);
  stage.files.delete("/part.resnet");
  await stage.deleted.fire(stub.Uri.parse("memfs:/part.resnet"));
  await server.request("textDocument/hover", { textDocument: { uri: URI }, position: { line: 0, character: 0 } });
  await server.request("textDocument/hover", { textDocument: { uri: URI }, position: { line: 0, character: 0 } });
  expect(server.published.get(URI)?.diagnostics.map(({ code }) => code)).toEqual(["import-not-found"]);
  expect(await stage.content!.provideTextDocumentContent(stub.Uri.parse("resnetc-std:/std/blocks.resnet"))).toContain(
    "block basic(",
  );
  expect(stage.status).toMatchObject({ text: "resnetc 1", detail: "in this test" });
});

describe("the panel", () => {
  const files = { "/part.resnet": "block part(width) { conv 3x3, width }" };

  it("lets nothing be loaded but the extension's own files", async () => {
    await startExtension(files);
    edit(URI, NET, "conv");
    await run("figure");
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(stage.html)!;
    const [, nonce] = /<script nonce="(\w{32})" src="[^"]*\/out\/page\.js">/.exec(stage.html)!;
    expect(policy).toBe(`default-src 'none'; style-src https://webview.test; script-src 'nonce-${nonce!}'`);
    expect(stage.html.match(/<script/g)).toHaveLength(1);
    await run("figure");
  });

  it("follows the cursor, sends a drawing once, and leads to the line of a layer", async () => {
    await startExtension(files);
    const editor = edit(URI, NET, "conv");
    await run("figure");
    await fromPage({ kind: "ready" });
    const first = lastPosted();
    expect(first).toMatchObject({ kind: "network", answer: { network: { name: "A" }, layers: ["conv"] } });
    expect(JSON.stringify(first)).toContain("<svg");
    editor.selection = { active: new stub.Position(4, 3) };
    await stage.selections.fire({ textEditor: editor });
    await vi.waitFor(() => expect(lastPosted()).toMatchObject({ answer: { layers: ["part.conv"] } }));
    expect(JSON.stringify(lastPosted())).not.toContain("<svg");
    await fromPage({ kind: "layer", layer: "part.conv" });
    expect(stage.shown.map(({ uri }) => uri)).toEqual(["memfs:/part.resnet"]);
    // A page that is new has nothing yet.
    await fromPage({ kind: "ready" });
    expect(JSON.stringify(lastPosted())).toContain("<svg");
  });

  it("shows what a lens names, wherever the cursor is", async () => {
    await startExtension(files);
    edit(URI, NET, "conv");
    await run("summary", URI, "/!memfs!/net.resnet#B");
    await fromPage({ kind: "ready" });
    expect(stage.posted).toContainEqual({ kind: "view", view: "summary" });
    expect(lastPosted()).toMatchObject({ answer: { network: { uri: URI, name: "B" }, layers: [] } });
  });

  it("says where there is nothing to be shown", async () => {
    await startExtension(files);
    await run("figure");
    await fromPage({ kind: "ready" });
    expect(lastPosted()).toEqual({ kind: "nothing" });
  });
});

describe("commands", () => {
  const files = { "/part.resnet": "block part(width) { conv 3x3, width }" };

  it("compile to a file, and say how large it is", async () => {
    await startExtension(files);
    edit(URI, NET, "conv");
    stage.answers.set("Compile A to ONNX", "Random weights");
    stage.saveTo = stub.Uri.parse("memfs:/A.onnx");
    await run("compile");
    const size = stage.files.get("/A.onnx")!.length;
    expect(size).toBeGreaterThan(5000);
    expect(stage.said).toEqual([`A: ${(size / 1e6).toFixed(1)} MB written, with random weights.`]);
  });

  it("tell what the server refuses, and where there is no network", async () => {
    await startExtension(files);
    edit(URI, NET.replace("conv 3x3", "cnv 3x3"), "cnv");
    stage.answers.set("Compile A to ONNX", "Structure only");
    stage.saveTo = stub.Uri.parse("memfs:/A.onnx");
    await run("compile");
    expect(stage.said).toEqual([expect.stringContaining("A has errors")]);
    stub.window.activeTextEditor = undefined;
    await run("train");
    expect(stage.said.at(-1)).toContain("There is no network here");
    await run("train", URI, "/net.resnet#B");
    expect(trained).toEqual([{ uri: URI, name: "B" }]);
  });
});

describe("on a desktop", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "resnetc-extension-"));
    await mkdir(path.join(folder, "node_modules/resnetc"), { recursive: true });
    await writeFile(
      path.join(folder, "node_modules/resnetc/package.json"),
      '{ "name": "resnetc", "version": "9.8.7" }',
    );
    await mkdir(path.join(folder, "nets"));
    stage.folders = [{ uri: stub.Uri.file(path.join(folder, "nets")) }];
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("the project's resnetc is found in the folder or above, and runs the tasks", async () => {
    const script = path.join(folder, "node_modules/resnetc/bin/resnetc.js");
    expect(await findProject()).toEqual({ folder: path.join(folder, "nets"), script, version: "9.8.7" });
    registerTasks(findProject);
    const [check, watching] = await stub.tasks.provider!.provideTasks();
    expect(check).toMatchObject({
      execution: { process: "node", args: [script, "check"] },
      problemMatchers: ["$resnetc"],
    });
    expect(watching).toMatchObject({ isBackground: true, problemMatchers: ["$resnetc-watch"] });
    const own = { name: "fmt", definition: { type: "resnetc", command: "fmt", args: ["--check"] } };
    expect(await stub.tasks.provider!.resolveTask(own)).toMatchObject({
      execution: { args: [script, "fmt", "--check"] },
    });
  });

  it("trains in a terminal, and says how far it is and how it ended", async () => {
    const file = path.join(folder, "nets/a.resnet");
    stage.files.set(file, "network A { input image 3x32x32   relu }\nrecipe quick { batch 4 }\n");
    stage.answers.set("Train: recipe", "quick").set("Train A: data", "shapes:40");
    const remembered = new Map<string, unknown>();
    const memory = {
      get: (key: string, without: unknown) => remembered.get(key) ?? without,
      update: async (key: string, value: unknown) => void remembered.set(key, value),
    } as unknown as vscode.Memento;
    const project = (await findProject())!;
    const training = train({ uri: `file://${file}`, name: "A" }, project, memory);
    await vi.waitFor(() => expect(stage.tasks).toHaveLength(1));
    const output = path.join(folder, "nets/runs/A");
    const { args } = stage.tasks[0]!.execution;
    expect(args.slice(1)).toEqual([
      "train",
      `${file}#A`,
      "--recipe",
      `${file}#quick`,
      "--data",
      "shapes:40",
      "-o",
      output,
    ]);
    await mkdir(output, { recursive: true });
    await appendFile(path.join(output, "metrics.jsonl"), '{"kind":"step","step":12,"epoch":1.5,"loss":0.4123}\n{"ki');
    expect(await lastUpdate(output)).toBe("step 12, epoch 1.50, loss 0.412");
    await vi.waitFor(() => expect(stage.progress).toContain("step 12, epoch 1.50, loss 0.412"), { timeout: 5000 });
    await wait(0);
    await stage.taskEnds.fire({ execution: { other: true }, exitCode: 1 });
    await endOf(0);
    await training;
    expect(stage.said).toEqual([`A is trained: ${path.join(output, "model.onnx")}`]);
    expect([...remembered.values()]).toEqual(["shapes:40"]);
  });

  it("goes on with a training that is there, where one says so", async () => {
    const file = path.join(folder, "nets/a.resnet");
    stage.files.set(file, "network A { input image 3x32x32   relu }\n");
    await mkdir(path.join(folder, "nets/runs/A/checkpoints"), { recursive: true });
    stage.answers.set("Train: recipe", "shapes");
    const memory = {
      get: (_: string, without: unknown) => without,
      update: async () => undefined,
    } as unknown as vscode.Memento;
    const project = (await findProject())!;
    await train({ uri: `file://${file}`, name: "A" }, project, memory);
    expect(stage.tasks).toEqual([]);
    stage.answers.set("runs/A holds a training.", "Go on with it");
    const training = train({ uri: `file://${file}`, name: "A" }, project, memory);
    await vi.waitFor(() => expect(stage.tasks).toHaveLength(1));
    expect(stage.tasks[0]!.execution.args.at(-1)).toBe("--resume");
    await endOf(130);
    await training;
    expect(stage.said.at(-1)).toContain("was stopped");
  });
});

/** The task that was begun last ends. */
async function endOf(exitCode: number): Promise<void> {
  await stage.taskEnds.fire({ execution: stub.tasks.last, exitCode });
}
