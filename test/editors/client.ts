/** A client of the language server, in this process: the protocol's messages go through streams in memory. */
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import type {
  Diagnostic,
  InitializeResult,
  Position,
  ProtocolConnection,
  PublishDiagnosticsParams,
} from "vscode-languageserver-protocol/node";
import { createConnection } from "vscode-languageserver/node";
import { serve } from "../../editors/server/server.js";
import type { Platform } from "../../editors/server/platform.js";

export interface Client {
  readonly connection: ProtocolConnection;
  readonly initialized: InitializeResult;
  /** What was published last, by address. */
  readonly published: ReadonlyMap<string, PublishDiagnosticsParams>;
  open(uri: string, text: string): void;
  /** Replaces what is between two offsets of the text as the client has it. */
  edit(uri: string, start: number, end: number, text: string): void;
  close(uri: string): void;
  textOf(uri: string): string;
  /** The place of the nth such text, and so many characters further. */
  at(uri: string, piece: string, further?: number, nth?: number): Position;
  /** Diagnostics of the text as it is now, when they are there. */
  diagnostics(uri: string): Promise<Diagnostic[]>;
  request<T>(method: string, parameters: unknown): Promise<T>;
  stop(): void;
}

export interface ClientOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly initializationOptions?: unknown;
  readonly standardFolder?: string;
  /** More of the platform, or in place of what is usual. */
  readonly platform?: Partial<Platform>;
}

export async function startClient({
  files = {},
  initializationOptions,
  standardFolder,
  platform: more,
}: ClientOptions = {}): Promise<Client> {
  const [up, down] = [new PassThrough(), new PassThrough()];
  const platform: Platform = {
    version: "0",
    read: (path) => files[path],
    list: async () => Object.keys(files),
    pause: () => setImmediate(),
    ...(standardFolder !== undefined && { standardFolder }),
    ...more,
  };
  const server = createConnection(new StreamMessageReader(up), new StreamMessageWriter(down));
  serve(server, platform);
  const connection = createProtocolConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
  const published = new Map<string, PublishDiagnosticsParams>();
  let heard = (): void => undefined;
  connection.onNotification("textDocument/publishDiagnostics", (parameters: PublishDiagnosticsParams) => {
    published.set(parameters.uri, parameters);
    heard();
  });
  connection.onRequest("client/registerCapability", () => null);
  connection.onRequest("workspace/inlayHint/refresh", () => null);
  connection.onRequest("workspace/codeLens/refresh", () => null);
  const problems: string[] = [];
  connection.onNotification("window/logMessage", ({ message }: { message: string }) => void problems.push(message));
  connection.listen();
  const capabilities = {
    textDocument: { completion: { completionItem: { snippetSupport: true } } },
    workspace: { inlayHint: { refreshSupport: true }, codeLens: { refreshSupport: true } },
  };
  const initialized = await connection.sendRequest<InitializeResult>("initialize", {
    processId: null,
    rootUri: "file:///",
    capabilities,
    initializationOptions,
  });
  await connection.sendNotification("initialized", {});
  const texts = new Map<string, { text: string; version: number }>();
  const of = (uri: string): { text: string; version: number } => texts.get(uri)!;
  return {
    connection,
    initialized,
    published,
    open(uri, text) {
      texts.set(uri, { text, version: 1 });
      void connection.sendNotification("textDocument/didOpen", {
        textDocument: { uri, languageId: "resnet", version: 1, text },
      });
    },
    edit(uri, start, end, text) {
      const before = of(uri).text;
      const range = { start: positionAt(before, start), end: positionAt(before, end) };
      const version = of(uri).version + 1;
      texts.set(uri, { text: before.slice(0, start) + text + before.slice(end), version });
      void connection.sendNotification("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges: [{ range, text }],
      });
    },
    close(uri) {
      texts.delete(uri);
      void connection.sendNotification("textDocument/didClose", { textDocument: { uri } });
    },
    textOf: (uri) => of(uri).text,
    at(uri, piece, further = 0, nth = 0) {
      let offset = -1;
      for (let i = 0; i <= nth; i++) offset = of(uri).text.indexOf(piece, offset + 1);
      if (offset < 0) throw new Error(`there is no ${piece}`);
      return positionAt(of(uri).text, offset + further);
    },
    async diagnostics(uri) {
      while (published.get(uri)?.version !== of(uri).version) await new Promise<void>((resolve) => (heard = resolve));
      if (problems.length > 0) throw new Error(problems.join("\n"));
      return published.get(uri)!.diagnostics;
    },
    request: <T>(method: string, parameters: unknown) => connection.sendRequest<T>(method, parameters),
    stop() {
      connection.dispose();
      server.dispose();
    },
  };
}

export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length - 1, character: before.at(-1)!.length };
}
