/** The language server as a worker has it: bundled for a browser, with messages in place of streams. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

/** What a browser's worker has, of what Node's has. */
const SCOPE = `
import { parentPort } from "node:worker_threads";
globalThis.postMessage = (message) => parentPort.postMessage(message);
globalThis.addEventListener = () => undefined;
parentPort.on("message", (data) => globalThis.onmessage({ data }));
`;

it("is bundled without anything of Node's, and answers", async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: 'import { serveWorker } from "./editors/server/worker.ts";\nserveWorker(globalThis, "0");',
      resolveDir: ROOT,
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  const folder = path.join(ROOT, ".cache/resnetc");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `language-server-${process.pid}.mjs`);
  writeFileSync(file, SCOPE + outputFiles[0]!.text);
  const worker = new Worker(file);
  try {
    const waiting: ((message: Message) => void)[] = [];
    const next = (is: (message: Message) => boolean): Promise<Message> =>
      new Promise((resolve) => {
        const look = (message: Message): void => (is(message) ? resolve(message) : void waiting.push(look));
        waiting.push(look);
      });
    worker.on("message", (message: Message) => waiting.splice(0).forEach((look) => look(message)));
    const send = (message: Message): void => worker.postMessage({ jsonrpc: "2.0", ...message });
    const answer = (id: number): Promise<Message> => next((message) => message.id === id);
    const uri = "memfs:/net.resnet";
    const text = 'import { part } from "./part"\nnetwork A { input image 3x8x8   part(3) }\n';
    send({ id: 1, method: "initialize", params: { processId: null, rootUri: "memfs:/", capabilities: {} } });
    await answer(1);
    send({ method: "initialized", params: {} });
    send({ method: "resnetc/files", params: { "memfs:/part.resnet": "block part(width) { conv 3x3, width }" } });
    const published = next(({ method }) => method === "textDocument/publishDiagnostics");
    send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "resnet", version: 1, text } } });
    expect((await published).params).toMatchObject({ uri, diagnostics: [] });
    const place = { textDocument: { uri }, position: { line: 1, character: 33 } };
    send({ id: 2, method: "textDocument/hover", params: place });
    expect(JSON.stringify((await answer(2)).result)).toContain("3x8x8 to 3x8x8");
    send({ id: 3, method: "textDocument/definition", params: place });
    expect((await answer(3)).result).toMatchObject({ uri: "memfs:/part.resnet" });
  } finally {
    await worker.terminate();
  }
});
