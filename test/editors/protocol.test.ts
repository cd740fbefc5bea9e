/** The language server through the protocol, in this process. */
import { afterEach, describe, expect, it } from "vitest";
import type {
  CodeAction,
  CodeLens,
  CompletionList,
  Hover,
  InlayHint,
  Location,
  SemanticTokens,
  TextEdit,
  WorkspaceEdit,
} from "vscode-languageserver-protocol/node";
import { compile, elaborate, memoryHost, parseTarget, summarize, type Summary } from "../../compiler/index.js";
import { figure } from "../../runtime/figures/figure.js";
import { pathOfUri, uriOfPath } from "../../editors/server/places.js";
import { readSettings, SETTINGS } from "../../editors/server/settings.js";
import { startClient, type Client, type ClientOptions } from "./client.js";

let client: Client;
afterEach(() => client?.stop());
const start = async (options?: ClientOptions): Promise<Client> => (client = await startClient(options));

const A = "file:///nets/a.resnet";
const B = "file:///nets/b.resnet";
const NET = `import { part } from "./b"
network A {
  input image 3x32x32
  conv 3x3, 16   bn   relu
  part(16)
}
`;
const PART = "block part(width) { conv 3x3, width }\n";
const place = (uri: string, piece: string, further = 1, nth = 0) => ({
  textDocument: { uri },
  position: client.at(uri, piece, further, nth),
});

it("says what it can do", async () => {
  const { initialized } = await start();
  expect(initialized.serverInfo).toEqual({ name: "resnetc", version: "0" });
  expect(Object.keys(initialized.capabilities)).toEqual(
    expect.arrayContaining([
      "hoverProvider",
      "completionProvider",
      "signatureHelpProvider",
      "definitionProvider",
      "referencesProvider",
      "renameProvider",
      "documentSymbolProvider",
      "workspaceSymbolProvider",
      "foldingRangeProvider",
      "documentLinkProvider",
      "documentFormattingProvider",
      "documentRangeFormattingProvider",
      "documentOnTypeFormattingProvider",
      "codeActionProvider",
      "codeLensProvider",
      "inlayHintProvider",
      "semanticTokensProvider",
    ]),
  );
});

describe("problems", () => {
  it("come with the places that explain them, and follow what is typed", async () => {
    await start({ files: { "/nets/b.resnet": PART } });
    client.open(A, NET.replace("part(16)", "residual { part(8) }"));
    const [found] = await client.diagnostics(A);
    expect(found).toMatchObject({ code: "shape-mismatch", severity: 1, source: "resnetc" });
    expect(found?.message).toContain("help: a shortcut such as");
    expect(found?.codeDescription?.href).toContain("errors.md#shape-mismatch");
    expect(found?.relatedInformation?.map(({ message }) => message)).toEqual(["in network A"]);
    const at = client.textOf(A).indexOf("part(8)");
    client.edit(A, at, at + "part(8)".length, "part(16)");
    expect(await client.diagnostics(A)).toEqual([]);
  });

  it("of a file that another imports follow that one too, open or not", async () => {
    const files: Record<string, string> = { "/nets/b.resnet": PART };
    await start({ files });
    client.open(A, NET);
    expect(await client.diagnostics(A)).toEqual([]);
    client.open(B, PART.replace("part", "other"));
    await client.diagnostics(B);
    const codes = (): unknown[] | undefined => client.published.get(A)?.diagnostics.map(({ code }) => code);
    expect(codes()).toEqual(["unknown-import"]);
    client.close(B);
    // It is on disk as it was.
    await client.request("textDocument/hover", place(A, "conv"));
    expect(codes()).toEqual([]);
    files["/nets/b.resnet"] = "block part() { relu }";
    await client.connection.sendNotification("workspace/didChangeWatchedFiles", { changes: [{ uri: B, type: 2 }] });
    await client.request("textDocument/hover", place(A, "conv"));
    await client.request("textDocument/hover", place(A, "conv"));
    expect(codes()).toEqual(["too-many-arguments"]);
  });

  it("of many edits, one after the other, are those of the last", async () => {
    await start();
    client.open(A, "network A { input image 3x32x32   conv 3x3, 16 }\n");
    for (let i = 0; i < 30; i++) client.edit(A, 34, 38, i % 2 === 0 ? "cnvv" : "conv");
    expect(await client.diagnostics(A)).toEqual([]);
  });

  it("in an imported file are told there", async () => {
    await start({ files: { "/nets/b.resnet": "block part(width) { conv 3x3, }" } });
    client.open(A, NET);
    await client.diagnostics(A);
    await client.request("textDocument/hover", place(A, "conv"));
    expect(client.published.get(B)?.diagnostics[0]).toMatchObject({ code: "syntax-error" });
  });
});

it("answers what editors ask", async () => {
  await start({ files: { "/nets/b.resnet": PART }, initializationOptions: { commands: ["compile"] } });
  client.open(A, NET);
  expect(await client.diagnostics(A)).toEqual([]);
  const hover = await client.request<Hover>("textDocument/hover", place(A, "conv"));
  expect(hover.contents).toMatchObject({
    kind: "markdown",
    value: expect.stringContaining("3x32x32 to 16x32x32") as string,
  });
  const whole = {
    textDocument: { uri: A },
    range: { start: { line: 0, character: 0 }, end: { line: 6, character: 0 } },
  };
  const hints = await client.request<InlayHint[]>("textDocument/inlayHint", whole);
  expect(hints.map(({ label, position }) => [position.line, label])).toEqual([
    [3, "16x32x32"],
    [4, "16x32x32"],
  ]);
  const definition = await client.request<Location>("textDocument/definition", place(A, "part(16"));
  expect(definition).toEqual({ uri: B, range: { start: { line: 0, character: 6 }, end: { line: 0, character: 10 } } });
  const references = await client.request<Location[]>("textDocument/references", {
    ...place(A, "part(16"),
    context: { includeDeclaration: false },
  });
  expect(references.map(({ uri, range }) => [uri, range.start.line])).toEqual([
    [A, 0],
    [A, 4],
  ]);
  const rename = await client.request<WorkspaceEdit>("textDocument/rename", {
    ...place(A, "part(16"),
    newName: "piece",
  });
  expect(Object.entries(rename.changes ?? {}).map(([uri, edits]) => [uri, edits.length])).toEqual([
    [B, 1],
    [A, 2],
  ]);
  await expect(client.request("textDocument/prepareRename", place(A, "conv"))).rejects.toThrow(
    "is a word of the language",
  );
  const lenses = await client.request<CodeLens[]>("textDocument/codeLens", { textDocument: { uri: A } });
  expect(lenses.map(({ command }) => [command?.title, command?.command])).toEqual([
    ["2.77 k parameters · 2.8 M multiply-adds", ""],
    ["compile", "resnetc.compile"],
  ]);
  const { items } = await client.request<CompletionList>("textDocument/completion", place(A, "16   bn", 0));
  expect(items.find(({ label }) => label === "channels")).toMatchObject({
    insertTextFormat: 2,
    textEdit: { newText: "channels: $0" },
  });
  const tokens = await client.request<SemanticTokens>("textDocument/semanticTokens/full", { textDocument: { uri: A } });
  expect(tokens.data.length % 5).toBe(0);
  expect(tokens.data.length).toBeGreaterThan(50);
  const links = await client.request<{ target: string }[]>("textDocument/documentLink", { textDocument: { uri: A } });
  expect(links.map(({ target }) => target)).toEqual([B]);
});

it("formats and mends by edits that fit the text", async () => {
  await start();
  client.open(A, "network A {\ninput image 3x32x32\n  cnv 3x3,16\n}\n");
  const [problem] = await client.diagnostics(A);
  const actions = await client.request<CodeAction[]>("textDocument/codeAction", {
    textDocument: { uri: A },
    range: problem!.range,
    context: { diagnostics: [problem] },
  });
  expect(actions.map(({ title, isPreferred }) => [title, isPreferred])).toEqual([
    ["Write `conv` in place of `cnv`", true],
  ]);
  expect(actions[0]?.diagnostics).toEqual([problem]);
  client.edit(A, client.textOf(A).indexOf("cnv"), client.textOf(A).indexOf("cnv") + 3, "conv");
  const edits = await client.request<TextEdit[]>("textDocument/formatting", {
    textDocument: { uri: A },
    options: { tabSize: 2, insertSpaces: true },
  });
  expect(edits.map(({ newText, range }) => [newText, range.start.line])).toEqual([
    ["  input image 3x32x32\n", 1],
    ["  conv 3x3, 16\n", 2],
  ]);
});

it("shows the next use of a block when it is told to", async () => {
  await start();
  client.open(
    A,
    "block b(width) {\n  conv 3x3, width\n}\nnetwork A { input image 3x32x32   stage s { b(4)   b(8) } }\nnetwork B { input image 3x32x32   b(16) }\n",
  );
  await client.diagnostics(A);
  const whole = {
    textDocument: { uri: A },
    range: { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } },
  };
  const shown = async (): Promise<unknown> =>
    (await client.request<InlayHint[]>("textDocument/inlayHint", whole))[0]?.label;
  const lens = async (): Promise<CodeLens> =>
    (await client.request<CodeLens[]>("textDocument/codeLens", { textDocument: { uri: A } })).find(
      ({ command }) => command?.command === "resnetc.nextUse",
    )!;
  const seen: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    const { command } = await lens();
    seen.push([command!.title, await shown()]);
    await client.request("workspace/executeCommand", command);
  }
  expect(seen).toEqual([
    ["shown as in A s.0 (3 uses)", "4x32x32"],
    ["shown as in A s.1 (3 uses)", "8x32x32"],
    ["shown as in B b (3 uses)", "16x32x32"],
    ["shown as in A s.0 (3 uses)", "4x32x32"],
  ]);
});

it("opens the standard library's files: as files, or by asking for their text", async () => {
  const text = 'import { basic } from "std/blocks"\nnetwork A { input image 3x8x8   basic(3) }\n';
  await start({ standardFolder: "/package/stdlib" });
  client.open(A, text);
  await client.diagnostics(A);
  expect(await client.request("textDocument/definition", place(A, "basic(3"))).toMatchObject({
    uri: "file:///package/stdlib/blocks.resnet",
  });
  client.stop();
  await start({ initializationOptions: { virtualStandard: true }, standardFolder: "/package/stdlib" });
  client.open(A, text);
  await client.diagnostics(A);
  const { uri } = await client.request<Location>("textDocument/definition", place(A, "basic(3"));
  expect(uri).toBe("resnetc-std:/std/blocks.resnet");
  const source = await client.request<string>("resnetc/source", { uri });
  expect(source).toContain("block basic(");
  client.open(uri, source);
  expect(await client.diagnostics(uri)).toEqual([]);
  // It knows where it is used.
  const hover = await client.request<Hover>("textDocument/hover", {
    textDocument: { uri },
    position: client.at(uri, "residual", 1),
  });
  expect(JSON.stringify(hover.contents)).toContain("**A basic**: 3x8x8 to 3x8x8");
});

it.each([
  ["file:///a/b%20c.resnet", "/a/b c.resnet"],
  ["file:///c%3A/nets/a.resnet", "c:/nets/a.resnet"],
  ["memfs:/a/b.resnet", "/!memfs!/a/b.resnet"],
  ["vscode-vfs://github/o/r/a.resnet", "/!vscode-vfs!github/o/r/a.resnet"],
  ["resnetc-std:/std/blocks.resnet", "std/blocks.resnet"],
])("the path of %s is %s", (uri, path) => {
  expect(pathOfUri(uri)).toBe(path);
  if (!uri.startsWith("resnetc-std")) expect(uriOfPath(path)).toBe(uri);
});

describe("networks beside their text", () => {
  interface Shown {
    readonly network: { readonly uri: string; readonly name: string };
    readonly layers: readonly string[];
    readonly number?: number;
    readonly drawing?: { readonly svg: string; readonly summary: Summary };
  }
  const shown = (uri: string, piece: string, more: object = {}, further = 1): Promise<Shown> =>
    client.request<Shown>("resnetc/network", { ...place(uri, piece, further), ...more });
  const TWO = `block b(width) {
  conv 3x3, width
  relu
}
network A { input image 3x32x32   stage s { b(4)   b(8) }   c = conv 1x1, 2 }
network B { input image 3x16x16   b(16) }
`;

  it("are those at the place, drawn as the command draws them", async () => {
    await start();
    client.open(A, TWO);
    const a = await shown(A, "stage");
    const { model } = elaborate(parseTarget(`${"a.resnet"}#A`), { host: memoryHost({ "a.resnet": TWO }) });
    expect(a.network).toEqual({ uri: A, name: "A" });
    expect(a.drawing!.svg).toBe(figure([model!]));
    expect(a.drawing!.summary).toEqual(summarize(model!));
    // A drawing says where its layers are written.
    expect(a.drawing!.svg).toContain("<title>s.0.conv</title>");
    expect(a.layers).toEqual(expect.arrayContaining(["s.0.conv", "s.1.conv"]));
    const layer = await client.request<Location>("resnetc/layer", { network: a.network, layer: "s.1.conv" });
    expect(layer).toEqual({ uri: A, range: { start: { line: 1, character: 2 }, end: { line: 1, character: 17 } } });
    expect(await client.request("resnetc/layer", { network: a.network, layer: "nowhere" })).toBeNull();
    // Not twice what the client has.
    const again = await shown(A, "c = conv", { has: a.number });
    expect(again).toEqual({ network: a.network, layers: ["c"], number: a.number });
    expect((await shown(A, "b(16)", { has: a.number })).network.name).toBe("B");
  });

  it("of a block is the one that was looked at, or that the block is shown in", async () => {
    await start();
    client.open(A, TWO);
    expect(await shown(A, "conv 3x3")).toMatchObject({ network: { name: "A" }, layers: ["s.0.conv", "s.1.conv"] });
    // In front of the line.
    expect(await shown(A, "  conv 3x3", {}, 0)).toMatchObject({ layers: ["s.0.conv", "s.1.conv"] });
    const b = { before: { uri: A, name: "B" } };
    expect(await shown(A, "conv 3x3", b)).toMatchObject({ network: { name: "B" }, layers: ["b.conv"] });
    const choose = { command: "resnetc.nextUse", arguments: [A, "b", "A s.1"] };
    await client.request("workspace/executeCommand", choose);
    expect((await shown(A, "conv 3x3", b)).network.name).toBe("A");
    const named = { textDocument: { uri: A }, before: { uri: A, name: "B" } };
    expect(await client.request("resnetc/network", named)).toMatchObject({ network: { name: "B" }, layers: [] });
  });

  it("have no drawing with an error, and are none in a file without", async () => {
    await start();
    client.open(A, TWO.replace("c = conv 1x1", "c = conv 99x99, stride: 0"));
    const broken = await shown(A, "stage");
    expect(broken.network.name).toBe("A");
    expect(broken).not.toHaveProperty("drawing");
    client.open(B, "let a = 1\n");
    client.close(A);
    expect(await shown(B, "let")).toBeNull();
  });

  it("are compiled to the bytes of the command, and what has errors is not", async () => {
    await start();
    client.open(A, TWO);
    const network = { uri: A, name: "B" };
    const { files, contents } = await client.request<{ files: unknown; contents: Record<string, number>[] }>(
      "resnetc/compile",
      { network, withWeights: true },
    );
    const { onnx } = compile({ files: { "/nets/a.resnet": TWO }, entry: "/nets/a.resnet#B" });
    expect(files).toEqual([{ name: "B.onnx", bytes: onnx!.length }]);
    expect(Object.values(contents[0]!)).toEqual([...onnx!]);
    client.open(B, "network C { input image 3x8x8   cnv 3x3 }\n");
    const wrong = client.request("resnetc/compile", { network: { uri: B, name: "C" }, withWeights: false });
    await expect(wrong).rejects.toThrow("C has errors");
  });
});

it("reads settings, and passes over what is none", () => {
  expect(
    readSettings({ inlayHints: { params: true, shapes: 3 }, commands: ["train", 4], virtualStandard: true }),
  ).toEqual({
    hints: { shapes: true, params: true, macs: false },
    commands: ["train"],
    virtualStandard: true,
  });
  for (const nothing of [undefined, null, 3, "a", []]) expect(readSettings(nothing)).toEqual(SETTINGS);
});
