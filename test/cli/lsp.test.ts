/** `resnetc lsp --stdio`, as an editor starts it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import type { InitializeResult, Location, PublishDiagnosticsParams } from "vscode-languageserver-protocol/node";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";

const BIN = path.resolve(import.meta.dirname, "../../bin/resnetc.js");

it("serves the files of a folder, leads into the library's own, and ends when it is told to", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "resnetc-lsp-"));
  const server = spawn(process.execPath, [BIN, "lsp", "--stdio"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  try {
    await writeFile(path.join(folder, "part.resnet"), "block part(width) { conv 3x3, width }\n");
    const connection = createProtocolConnection(
      new StreamMessageReader(server.stdout),
      new StreamMessageWriter(server.stdin),
    );
    const published = new Promise<PublishDiagnosticsParams>((resolve) => {
      connection.onNotification("textDocument/publishDiagnostics", resolve);
    });
    connection.listen();
    const rootUri = pathToFileURL(folder).href;
    const { serverInfo } = await connection.sendRequest<InitializeResult>("initialize", {
      processId: process.pid,
      rootUri,
      capabilities: {},
    });
    expect(serverInfo).toMatchObject({ name: "resnetc", version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
    await connection.sendNotification("initialized", {});
    const uri = `${rootUri}/net.resnet`;
    const text =
      'import { part } from "./part"\nimport { basic } from "std/blocks"\nnetwork A { input image 3x8x8   part(3)   basic(4) }\n';
    await connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri, languageId: "resnet", version: 1, text },
    });
    const { diagnostics } = await published;
    expect(diagnostics.map(({ code }) => code)).toEqual(["shape-mismatch"]);
    const definition = (character: number): Promise<Location> =>
      connection.sendRequest<Location>("textDocument/definition", {
        textDocument: { uri },
        position: { line: 2, character },
      });
    expect((await definition(33)).uri).toBe(`${rootUri}/part.resnet`);
    expect((await definition(43)).uri).toMatch(/\/stdlib\/blocks\.resnet$/);
    const ended = once(server, "exit");
    await connection.sendRequest("shutdown");
    await connection.sendNotification("exit");
    expect(await ended).toEqual([0, null]);
    connection.dispose();
  } finally {
    server.kill();
    await rm(folder, { recursive: true });
  }
});
