/**
 * The language server: the protocol over the compiler's services (compiler/editor/). It knows no machine: what it needs of
 * one is its {@link Platform}; node.ts and worker.ts are two.
 */
import {
  CodeActionKind,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  DocumentHighlightKind,
  FoldingRangeKind,
  InlayHintRefreshRequest,
  CodeLensRefreshRequest,
  MarkupKind,
  ResponseError,
  ErrorCodes,
  TextDocumentSyncKind,
  type ClientCapabilities,
  type Connection,
  type InitializeResult,
  type Position,
  type Range,
  type ServerCapabilities,
} from "vscode-languageserver";
import {
  actionsAt,
  choiceKey,
  completionAt,
  definitionAt,
  foldsOf,
  formatFile,
  formatSelection,
  formatTyped,
  TYPED,
  hintsIn,
  hoverAt,
  lensesIn,
  linksIn,
  referencesAt,
  renameable,
  renameAt,
  signatureAt,
  standardSource,
  symbolsCalled,
  symbolsOf,
  tokensOf,
  type Edit,
  type Lens,
} from "../../compiler/editor/index.js";
import { diagnosticOf, encoded, itemOf, LEGEND, symbolKind, symbolOf } from "./convert.js";
import { Documents } from "./documents.js";
import { serveNetworks } from "./networks.js";
import { pathOfUri } from "./places.js";
import type { Platform } from "./platform.js";
import { readSettings, SETTINGS, type Settings } from "./settings.js";

/** Carried out by the server: the next use of a block is shown in it. */
export const NEXT_USE = "resnetc.nextUse";

const CAPABILITIES: ServerCapabilities = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
  hoverProvider: true,
  completionProvider: { triggerCharacters: [".", '"', "/"], resolveProvider: false },
  signatureHelpProvider: { triggerCharacters: ["(", ",", " ", ":"], retriggerCharacters: [")"] },
  definitionProvider: true,
  referencesProvider: true,
  documentHighlightProvider: true,
  renameProvider: { prepareProvider: true },
  documentSymbolProvider: true,
  workspaceSymbolProvider: true,
  foldingRangeProvider: true,
  documentLinkProvider: { resolveProvider: false },
  documentFormattingProvider: true,
  documentRangeFormattingProvider: true,
  documentOnTypeFormattingProvider: { firstTriggerCharacter: TYPED[0], moreTriggerCharacter: TYPED.slice(1) },
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  codeLensProvider: { resolveProvider: false },
  inlayHintProvider: { resolveProvider: false },
  semanticTokensProvider: { legend: LEGEND, full: true, range: false },
  executeCommandProvider: { commands: [NEXT_USE] },
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};

/** Serves a connection until it is closed. */
export function serve(connection: Connection, platform: Platform): void {
  const documents = new Documents(connection, platform);
  const { editor, places } = documents;
  let settings: Settings = SETTINGS;
  let client: ClientCapabilities = {};
  let folders: readonly string[] = [];
  const chosen = new Map<string, string>();

  connection.onInitialize(({ capabilities, initializationOptions, workspaceFolders, rootUri }): InitializeResult => {
    client = capabilities;
    settings = readSettings(initializationOptions);
    documents.virtualStandard = settings.virtualStandard;
    folders = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri ? [rootUri] : []);
    return { capabilities: CAPABILITIES, serverInfo: { name: "resnetc", version: platform.version } };
  });
  connection.onInitialized(async () => {
    await documents.openFolders(folders);
    if (client.workspace?.didChangeWatchedFiles?.dynamicRegistration) {
      const watchers = [{ globPattern: "**/*.resnet" }];
      void connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
    }
    if (client.workspace?.didChangeConfiguration?.dynamicRegistration) {
      void connection.client.register(DidChangeConfigurationNotification.type, { section: "resnetc" });
    }
    if (client.workspace?.workspaceFolders) {
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.map(({ uri }) => uri));
        folders = [...folders.filter((uri) => !gone.has(uri)), ...added.map(({ uri }) => uri)];
        void documents.openFolders(folders);
      });
    }
    await readConfiguration();
    documents.check();
  });

  async function readConfiguration(): Promise<void> {
    if (!client.workspace?.configuration) return;
    settings = readSettings(await connection.workspace.getConfiguration("resnetc"), settings);
    refresh();
  }

  function refresh(): void {
    // A client that is gone needs none.
    const ask = (type: typeof InlayHintRefreshRequest.type): void =>
      void connection.sendRequest(type).catch(() => undefined);
    if (client.workspace?.inlayHint?.refreshSupport) ask(InlayHintRefreshRequest.type);
    if (client.workspace?.codeLens?.refreshSupport) ask(CodeLensRefreshRequest.type);
  }

  connection.onDidChangeConfiguration(async ({ settings: given }) => {
    const section = (given as { resnetc?: unknown } | null)?.resnetc;
    if (section !== undefined) settings = readSettings(section, settings);
    await readConfiguration();
  });
  connection.onDidChangeWatchedFiles(async () => {
    await documents.openFolders(folders);
    documents.check();
  });
  connection.onNotification("resnetc/files", async (files: Readonly<Record<string, string | null>>) => {
    platform.supply?.(files);
    await documents.openFolders(folders);
    documents.check();
  });
  connection.onRequest("resnetc/source", ({ uri }: { uri: string }) => standardSource(pathOfUri(uri)) ?? null);

  serveNetworks(connection, { documents, platform, chosen });

  /** Where a request asks. */
  const placeIn = (uri: string, position: Position): { readonly path: string; readonly offset: number } => {
    const path = documents.pathOf(uri);
    return { path, offset: places.document(path).offsetAt(position) };
  };
  const rangeIn = (uri: string, { start, end }: Range): { path: string; start: number; end: number } => {
    const path = documents.pathOf(uri);
    const document = places.document(path);
    return { path, start: document.offsetAt(start), end: document.offsetAt(end) };
  };

  // What depends on shapes waits for the check of what was typed last.

  connection.onHover(async ({ textDocument: { uri }, position }) => {
    await documents.settled();
    const { path, offset } = placeIn(uri, position);
    const found = hoverAt(editor, path, offset);
    return found
      ? { range: places.range(found.span), contents: { kind: MarkupKind.Markdown, value: found.text } }
      : null;
  });
  connection.languages.inlayHint.on(async ({ textDocument: { uri }, range }) => {
    await documents.settled();
    const { path, ...within } = rangeIn(uri, range);
    const document = places.document(path);
    return hintsIn(editor, path, within, settings.hints, chosen).map(({ offset, text, tooltip }) => ({
      position: document.positionAt(offset),
      label: text,
      paddingLeft: true,
      tooltip: { kind: MarkupKind.Markdown, value: tooltip },
    }));
  });
  connection.onCodeLens(async ({ textDocument: { uri } }) => {
    await documents.settled();
    const path = documents.pathOf(uri);
    return lensesIn(editor, path, chosen).flatMap((lens) => {
      const command = commandOf(lens, path);
      return command ? [{ range: places.range(lens.span), command }] : [];
    });
  });
  connection.onCodeAction(async ({ textDocument: { uri }, range, context }) => {
    if (context.only && !context.only.some((kind) => CodeActionKind.QuickFix.startsWith(kind))) return [];
    await documents.settled();
    const { path, ...within } = rangeIn(uri, range);
    return actionsAt(editor, path, within).map(({ title, edits, mends, isPreferred }) => ({
      title,
      kind: CodeActionKind.QuickFix,
      diagnostics: [diagnosticOf(mends, places)],
      isPreferred,
      edit: places.workspaceEdit(edits),
    }));
  });

  function commandOf(
    { title, action }: Lens,
    path: string,
  ): { title: string; command: string; arguments?: unknown[] } | undefined {
    if (!action) return { title, command: "" };
    if (action.kind === "choose") {
      const { places: uses, declaration } = action;
      if (uses.length < 2) return { title, command: "" };
      const next = uses[(uses.indexOf(chosen.get(choiceKey(path, declaration)) ?? uses[0]!) + 1) % uses.length];
      return { title, command: NEXT_USE, arguments: [documents.uriOf(path), declaration, next, uses] };
    }
    const isOffered = settings.commands.includes(action.kind);
    // What a network costs is worth a line by itself.
    if (!isOffered) return action.kind === "summary" ? { title, command: "" } : undefined;
    return { title, command: `resnetc.${action.kind}`, arguments: [documents.uriOf(path), action.target] };
  }

  connection.onExecuteCommand(({ command, arguments: args = [] }) => {
    const [uri, declaration, place] = args as readonly unknown[];
    if (command !== NEXT_USE || typeof uri !== "string" || typeof declaration !== "string") return null;
    const key = choiceKey(documents.pathOf(uri), declaration);
    if (typeof place === "string") chosen.set(key, place);
    else chosen.delete(key);
    refresh();
    return null;
  });

  // What the text alone tells.

  connection.onCompletion(({ textDocument: { uri }, position }) => {
    const { path, offset } = placeIn(uri, position);
    const { span, items } = completionAt(editor, path, offset);
    const withSnippets = client.textDocument?.completion?.completionItem?.snippetSupport === true;
    // With another letter there may be others: what is not imported is only shown by its beginning.
    return { isIncomplete: true, items: items.map((item) => itemOf(item, span, places, withSnippets)) };
  });
  connection.onSignatureHelp(({ textDocument: { uri }, position }) => {
    const { path, offset } = placeIn(uri, position);
    const found = signatureAt(editor, path, offset);
    if (!found) return null;
    const { label, documentation, parameters, active } = found;
    const shown = parameters.map((each) => ({ label: each.label, documentation: each.documentation }));
    // None of them: behind the last.
    const activeParameter = active ?? shown.length;
    return {
      signatures: [{ label, documentation, parameters: shown, activeParameter }],
      activeSignature: 0,
      activeParameter,
    };
  });
  connection.onDefinition(({ textDocument: { uri }, position }) => {
    const { path, offset } = placeIn(uri, position);
    const found = definitionAt(editor, path, offset);
    return found ? places.location(found) : null;
  });
  connection.onReferences(({ textDocument: { uri }, position, context: { includeDeclaration } }) => {
    const { path, offset } = placeIn(uri, position);
    return referencesAt(editor, path, offset)
      .filter(({ isDefinition }) => includeDeclaration || !isDefinition)
      .map(({ span }) => places.location(span));
  });
  connection.onDocumentHighlight(({ textDocument: { uri }, position }) => {
    const { path, offset } = placeIn(uri, position);
    return referencesAt(editor, path, offset, true).map(({ span, isDefinition }) => ({
      range: places.range(span),
      kind: isDefinition ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
    }));
  });
  connection.onPrepareRename(({ textDocument: { uri }, position }) => {
    const { path, offset } = placeIn(uri, position);
    const found = renameable(editor, path, offset);
    if ("problem" in found) throw new ResponseError(ErrorCodes.InvalidRequest, found.problem);
    return places.range(found);
  });
  connection.onRenameRequest(({ textDocument: { uri }, position, newName }) => {
    const { path, offset } = placeIn(uri, position);
    const edits = renameAt(editor, path, offset, newName);
    if ("problem" in edits) throw new ResponseError(ErrorCodes.InvalidRequest, edits.problem);
    return places.workspaceEdit(edits);
  });
  connection.onDocumentSymbol(({ textDocument: { uri } }) =>
    symbolsOf(editor, documents.pathOf(uri)).map((symbol) => symbolOf(symbol, places)),
  );
  connection.onWorkspaceSymbol(({ query }) =>
    symbolsCalled(editor, query).map(({ name, kind, nameSpan }) => ({
      name,
      kind: symbolKind(kind),
      location: places.location(nameSpan),
    })),
  );
  connection.onFoldingRanges(({ textDocument: { uri } }) => {
    const path = documents.pathOf(uri);
    const document = places.document(path);
    const kinds = { comment: FoldingRangeKind.Comment, imports: FoldingRangeKind.Imports, body: undefined };
    return foldsOf(editor, path).flatMap(({ start, end, kind }) => {
      const [startLine, last] = [document.positionAt(start).line, document.positionAt(end).line];
      // The line of the closing brace stays.
      const endLine = kind === "body" ? last - 1 : last;
      const named = kinds[kind];
      return endLine > startLine ? [{ startLine, endLine, ...(named && { kind: named }) }] : [];
    });
  });
  connection.onDocumentLinks(({ textDocument: { uri } }) =>
    linksIn(editor, documents.pathOf(uri)).map(({ span, target }) => ({
      range: places.range(span),
      target: "path" in target ? documents.uriOf(target.path) : target.address,
    })),
  );
  connection.languages.semanticTokens.on(({ textDocument: { uri } }) => {
    const path = documents.pathOf(uri);
    return encoded(tokensOf(editor, path), path, places);
  });

  const edits = (made: readonly Edit[] | undefined) => made?.map((edit) => places.textEdit(edit)) ?? null;
  const layoutOf = ({ tabSize, insertSpaces }: { tabSize: number; insertSpaces: boolean }) => ({
    width: 100,
    indent: insertSpaces ? tabSize : 2,
    tabs: !insertSpaces,
  });
  connection.onDocumentFormatting(({ textDocument: { uri }, options }) =>
    edits(formatFile(editor, documents.pathOf(uri), layoutOf(options))),
  );
  connection.onDocumentRangeFormatting(({ textDocument: { uri }, range, options }) => {
    const { path, ...within } = rangeIn(uri, range);
    return edits(formatSelection(editor, path, within, layoutOf(options)));
  });
  connection.onDocumentOnTypeFormatting(({ textDocument: { uri }, position, options }) => {
    const { path, offset } = placeIn(uri, position);
    return edits(formatTyped(editor, path, offset, layoutOf(options)));
  });

  connection.listen();
}
