/**
 * The language server in a web worker: `new Worker(...)`, and the protocol's messages by `postMessage`. It reads no files:
 * those that are not open come by the notification `resnetc/files`, an object of texts by their addresses.
 */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from "vscode-languageserver/browser";
import type { Platform } from "./platform.js";
import { serve } from "./server.js";
import { SuppliedFiles } from "./supplied.js";

export function workerPlatform(version: string): Platform {
  const files = new SuppliedFiles();
  return {
    version,
    read: (path) => files.read(path),
    list: async () => files.paths(),
    // A task of its own: what waits comes first.
    pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
    supply: (given) => files.supply(given),
  };
}

/** What a worker has of its scope. */
export interface WorkerScope {
  postMessage(message: unknown): void;
  addEventListener(kind: "error", listener: (event: unknown) => void): void;
  /** The server sets it: messages come there. */
  onmessage: unknown;
}

/** Serves whoever made the worker: `serveWorker(self, version)`. */
export function serveWorker(scope: WorkerScope, version: string): void {
  // Theirs is a type of the DOM, which is not loaded here.
  const port = scope as never;
  serve(createConnection(new BrowserMessageReader(port), new BrowserMessageWriter(port)), workerPlatform(version));
}
