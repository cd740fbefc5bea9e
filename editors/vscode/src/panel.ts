/** A network's figure and summary beside its source: they follow the cursor and what is typed. */
import * as vscode from "vscode";
import type { Client, LayerParams, NetworkAnswer, NetworkId, NetworkParams } from "./api.js";

export type View = "figure" | "summary";

/** What the page is told. */
export type ToPage =
  | { readonly kind: "view"; readonly view: View }
  | { readonly kind: "network"; readonly answer: NetworkAnswer }
  | { readonly kind: "nothing" };

/** What the page tells: that it can be told something; that a layer was clicked; which view was chosen. */
export type FromPage =
  | { readonly kind: "ready" }
  | { readonly kind: "layer"; readonly layer: string }
  | { readonly kind: "view"; readonly view: View };

/** Milliseconds without another change. */
const QUIET = 80;

interface Location {
  readonly uri: string;
  readonly range: { readonly start: Place; readonly end: Place };
}
interface Place {
  readonly line: number;
  readonly character: number;
}

export class NetworkPanel implements vscode.Disposable {
  readonly #folder: vscode.Uri;
  readonly #client: Client;
  readonly #subscriptions: vscode.Disposable[];
  #panel: vscode.WebviewPanel | undefined;
  #view: View = "figure";
  /** Where the cursor was last in a source. */
  #place: Pick<NetworkParams, "textDocument" | "position"> | undefined;
  #network: NetworkId | undefined;
  #has: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0;

  constructor(extension: vscode.Uri, client: Client) {
    this.#folder = vscode.Uri.joinPath(extension, "out");
    this.#client = client;
    this.#subscriptions = [
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.#follow(textEditor)),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.#follow(editor)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.languageId === "resnet") this.#soon();
      }),
    ];
  }

  /**
   * Opens the panel, or brings it to the front.
   *
   * @param network absent: the one at the cursor
   */
  async show(view: View, network?: NetworkId): Promise<void> {
    this.#view = view;
    this.#follow(vscode.window.activeTextEditor);
    if (network) {
      this.#network = network;
      this.#place = { textDocument: { uri: network.uri } };
    }
    if (this.#panel) {
      this.#panel.reveal(undefined, true);
      this.#tell({ kind: "view", view });
      return this.#update();
    }
    const { Beside } = vscode.ViewColumn;
    const panel = vscode.window.createWebviewPanel(
      "resnetc.network",
      "Figure",
      { viewColumn: Beside, preserveFocus: true },
      {
        enableScripts: true,
        localResourceRoots: [this.#folder],
      },
    );
    this.#panel = panel;
    panel.webview.onDidReceiveMessage((message: FromPage) => this.#hear(message));
    panel.onDidDispose(() => {
      this.#panel = undefined;
      this.#has = undefined;
    });
    panel.webview.html = this.#html(panel.webview);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#panel?.dispose();
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  #follow(editor: vscode.TextEditor | undefined): void {
    if (editor?.document.languageId !== "resnet") return;
    const { line, character } = editor.selection.active;
    this.#place = { textDocument: { uri: editor.document.uri.toString() }, position: { line, character } };
    this.#soon();
  }

  #soon(): void {
    clearTimeout(this.#timer);
    // A server that has been stopped meanwhile has nothing to be shown.
    if (this.#panel) this.#timer = setTimeout(() => void this.#update().catch(() => undefined), QUIET);
  }

  async #update(): Promise<void> {
    if (!this.#panel || !this.#place) return this.#tell({ kind: "nothing" });
    const round = ++this.#round;
    const answer = await this.#client.sendRequest<NetworkAnswer | null>("resnetc/network", {
      ...this.#place,
      ...(this.#network && { before: this.#network }),
      ...(this.#has !== undefined && { has: this.#has }),
    } satisfies NetworkParams);
    // Meanwhile something else was asked for.
    if (round !== this.#round) return;
    this.#network = answer?.network ?? this.#network;
    if (answer?.number !== undefined) this.#has = answer.number;
    if (this.#panel && answer) this.#panel.title = `Figure: ${answer.network.name}`;
    this.#tell(answer ? { kind: "network", answer } : { kind: "nothing" });
  }

  #tell(message: ToPage): void {
    void this.#panel?.webview.postMessage(message);
  }

  async #hear(message: FromPage): Promise<void> {
    if (message.kind === "ready") {
      this.#has = undefined;
      this.#tell({ kind: "view", view: this.#view });
      await this.#update();
    } else if (message.kind === "view") this.#view = message.view;
    else await this.#reveal(message.layer);
  }

  async #reveal(layer: string): Promise<void> {
    if (!this.#network) return;
    const found = await this.#client.sendRequest<Location | null>("resnetc/layer", {
      network: this.#network,
      layer,
    } satisfies LayerParams);
    if (!found) return;
    const { uri, range } = found;
    const open = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri);
    await vscode.window.showTextDocument(vscode.Uri.parse(uri), {
      viewColumn: open?.viewColumn ?? vscode.ViewColumn.One,
      selection: new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character),
    });
  }

  /** Nothing is loaded but the extension's own style and script; nothing inline, nothing from elsewhere. */
  #html(webview: vscode.Webview): string {
    const at = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(this.#folder, name)).toString();
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${at("page.css")}">
<title>Figure</title>
</head>
<body>
<script nonce="${nonce}" src="${at("page.js")}"></script>
</body>
</html>`;
  }
}
