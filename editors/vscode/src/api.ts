/** What the parts of the extension need of the language client and of the machine it runs on. */
import type * as vscode from "vscode";
import type { NetworkId } from "../../server/networks.js";

export type {
  CompileAnswer,
  CompileParams,
  LayerParams,
  NetworkAnswer,
  NetworkId,
  NetworkParams,
} from "../../server/networks.js";

/** The language server's side of a conversation. */
export interface Client {
  sendRequest<T>(method: string, params: unknown): Promise<T>;
  sendNotification(method: string, params: unknown): Promise<void>;
}

/** A desktop or a browser. */
export interface Machine {
  readonly client: Client;
  /** Which server answers, in a few words: `bundled with the extension`. */
  readonly server: string;
  readonly version: string;
  /** Whether the server reads and writes the file itself. */
  isServers(uri: vscode.Uri): boolean;
  /** Trains a network, or says in one line why it can't. */
  train(network: NetworkId): Promise<void>;
  /** Compiles with the weights of a file; absent: it can't. */
  compileWithWeights?(network: NetworkId, to: vscode.Uri): Promise<void>;
}

/** Commands of code lenses that this client carries out. */
export const LENS_COMMANDS = ["summary", "figure", "compile", "train"] as const;

/** The scheme of the standard library's files, which are there to be read. */
export const STANDARD_SCHEME = "resnetc-std";
