/** What the server needs of the machine that it runs on. */
import type { EmittedModel } from "../../compiler/emit/onnx.js";
import type { Host } from "../../compiler/host.js";

export interface Platform extends Host {
  readonly version: string;
  /** The folder of the standard library's files, with `/` between folders; undefined where they are no files. */
  readonly standardFolder?: string;
  /** Paths of all sources in these folders. */
  list(folders: readonly string[]): Promise<readonly string[]>;
  /** Lets messages come in that wait. */
  pause(): Promise<void>;
  /** Texts of files that the client has, by address, where the platform itself can read none; `null`: it is gone. */
  supply?(files: Readonly<Record<string, string | null>>): void;
  /** Writes a model to the file of an address; absent where the client has to. */
  writeModel?(
    uri: string,
    emit: (externalName: string) => EmittedModel,
  ): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
}
