/** As much of the module `vscode` as the extension's own code needs, with what the tests look at: no editor is behind it. */

class Emitter<T> {
  readonly #listeners = new Set<(event: T) => unknown>();
  readonly event = (listener: (event: T) => unknown): Disposable => {
    this.#listeners.add(listener);
    return new Disposable(() => void this.#listeners.delete(listener));
  };

  async fire(event: T): Promise<void> {
    for (const listener of this.#listeners) await listener(event);
  }
}

export class Disposable {
  readonly dispose: () => void;
  constructor(dispose: () => void) {
    this.dispose = dispose;
  }
  static from(...all: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => all.forEach((each) => void each.dispose()));
  }
}

export class Uri {
  readonly scheme: string;
  readonly path: string;
  private constructor(scheme: string, path: string) {
    this.scheme = scheme;
    this.path = path;
  }
  static parse(text: string): Uri {
    const [, scheme = "", path = ""] = /^([\w-]+):(?:\/\/)?(.*)$/.exec(text)!;
    return new Uri(scheme, path);
  }
  static file(path: string): Uri {
    return new Uri("file", path);
  }
  static joinPath(uri: Uri, ...parts: readonly string[]): Uri {
    return new Uri(uri.scheme, new URL(parts.join("/"), `file://${uri.path.replace(/\/?$/, "/")}`).pathname);
  }
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    return this.scheme === "file" ? `file://${this.path}` : `${this.scheme}:${this.path}`;
  }
}

export class Position {
  readonly line: number;
  readonly character: number;
  constructor(line: number, character: number) {
    this.line = line;
    this.character = character;
  }
}

export class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(line: number, character: number, endLine: number, endCharacter: number) {
    this.start = new Position(line, character);
    this.end = new Position(endLine, endCharacter);
  }
}

export interface Document {
  readonly uri: Uri;
  readonly languageId: string;
  getText(): string;
}
export interface TextEditor {
  readonly document: Document;
  readonly viewColumn: number;
  selection: { readonly active: Position };
}

/** What happened, and what the user would choose. */
export const stage = {
  commands: new Map<string, (...args: unknown[]) => Promise<void>>(),
  files: new Map<string, string | Uint8Array>(),
  folders: [] as { readonly uri: Uri }[],
  said: [] as string[],
  posted: [] as unknown[],
  tasks: [] as Task[],
  shown: [] as { readonly uri: string; readonly options: unknown }[],
  /** By the title of a choice, or of a box: what is chosen or typed; a function of what is offered. */
  answers: new Map<string, string>(),
  saveTo: undefined as Uri | undefined,
  openFrom: undefined as Uri | undefined,
  /** What the page of the panel says. */
  fromPage: new Emitter<unknown>(),
  html: "",
  selections: new Emitter<{ readonly textEditor: TextEditor }>(),
  activeEditors: new Emitter<TextEditor | undefined>(),
  edits: new Emitter<{ readonly document: Document }>(),
  created: new Emitter<Uri>(),
  deleted: new Emitter<Uri>(),
  taskEnds: new Emitter<{ readonly execution: unknown; readonly exitCode: number | undefined }>(),
  progress: [] as string[],
  content: undefined as { provideTextDocumentContent(uri: Uri): Promise<string> } | undefined,
  status: { name: "", text: "", detail: "", dispose: () => undefined },
  isTrusted: true,
};

export const ViewColumn = { One: 1, Beside: -2 };
export const FileType = { File: 1, Directory: 2 };
export const ProgressLocation = { Notification: 15 };
export const TaskScope = { Workspace: 2 };
export const TaskGroup = { Build: "build" };

const say = async (text: string): Promise<undefined> => void stage.said.push(text);

export const window = {
  activeTextEditor: undefined as TextEditor | undefined,
  visibleTextEditors: [] as TextEditor[],
  onDidChangeTextEditorSelection: stage.selections.event,
  onDidChangeActiveTextEditor: stage.activeEditors.event,
  showInformationMessage: say,
  showErrorMessage: say,
  showWarningMessage: async (text: string, _options: unknown, answer?: string) => {
    await say(text);
    return stage.answers.get(text) === answer ? answer : undefined;
  },
  async showQuickPick(items: readonly { readonly label: string }[], { title }: { title: string }) {
    return items.find(({ label }) => label === stage.answers.get(title));
  },
  async showInputBox({ title, value }: { title: string; value?: string }) {
    return stage.answers.get(title) ?? value;
  },
  showSaveDialog: async () => stage.saveTo,
  showOpenDialog: async () => stage.openFrom && [stage.openFrom],
  async showTextDocument(uri: Uri, options: unknown): Promise<void> {
    stage.shown.push({ uri: uri.toString(), options });
  },
  withProgress<T>(_options: unknown, run: (progress: unknown, token: unknown) => Promise<T>): Promise<T> {
    const progress = { report: ({ message }: { message: string }) => stage.progress.push(message) };
    return run(progress, { onCancellationRequested: () => new Disposable(() => undefined) });
  },
  createWebviewPanel() {
    const disposed = new Emitter<void>();
    stage.fromPage = new Emitter<unknown>();
    return {
      title: "",
      reveal: () => undefined,
      onDidDispose: disposed.event,
      dispose: () => void disposed.fire(),
      webview: {
        cspSource: "https://webview.test",
        asWebviewUri: (uri: Uri) => uri,
        onDidReceiveMessage: stage.fromPage.event,
        postMessage: async (message: unknown) => void stage.posted.push(message),
        set html(text: string) {
          stage.html = text;
        },
      },
    };
  },
};

export const commands = {
  registerCommand(name: string, run: (...args: unknown[]) => Promise<void>): Disposable {
    stage.commands.set(name, run);
    return new Disposable(() => void stage.commands.delete(name));
  },
};

export const languages = { createLanguageStatusItem: () => stage.status };

export const workspace = {
  get workspaceFolders() {
    return stage.folders;
  },
  get isTrusted() {
    return stage.isTrusted;
  },
  getConfiguration: () => ({ get: () => undefined }),
  onDidChangeTextDocument: stage.edits.event,
  onDidChangeWorkspaceFolders: new Emitter<{ readonly added: readonly { readonly uri: Uri }[] }>().event,
  registerTextDocumentContentProvider(_scheme: string, provider: typeof stage.content): Disposable {
    stage.content = provider;
    return new Disposable(() => undefined);
  },
  createFileSystemWatcher: () => ({
    onDidCreate: stage.created.event,
    onDidChange: new Emitter<Uri>().event,
    onDidDelete: stage.deleted.event,
    dispose: () => undefined,
  }),
  async openTextDocument(uri: Uri) {
    return { getText: () => String(stage.files.get(uri.path)) };
  },
  fs: {
    async readFile({ path }: Uri): Promise<Uint8Array> {
      const found = stage.files.get(path);
      if (found === undefined) throw new Error("there is none");
      return typeof found === "string" ? new TextEncoder().encode(found) : found;
    },
    writeFile: async ({ path }: Uri, content: Uint8Array) => void stage.files.set(path, content),
    async readDirectory({ path }: Uri): Promise<[string, number][]> {
      const start = path.replace(/\/?$/, "/");
      const inside = [...stage.files.keys()].filter((file) => file.startsWith(start));
      return inside.map((file) => {
        const [name = "", ...rest] = file.slice(start.length).split("/");
        return [name, rest.length > 0 ? FileType.Directory : FileType.File];
      });
    },
  },
};

export class ProcessExecution {
  readonly process: string;
  readonly args: readonly string[];
  readonly options: unknown;
  constructor(process: string, args: readonly string[], options: unknown) {
    this.process = process;
    this.args = args;
    this.options = options;
  }
}

export class Task {
  readonly definition: unknown;
  readonly name: string;
  readonly execution: ProcessExecution;
  readonly problemMatchers: readonly string[];
  isBackground = false;
  group: unknown;
  constructor(
    definition: unknown,
    _scope: unknown,
    name: string,
    _source: string,
    execution: ProcessExecution,
    matchers: readonly string[],
  ) {
    this.definition = definition;
    this.name = name;
    this.execution = execution;
    this.problemMatchers = matchers;
  }
}

interface Provider {
  provideTasks(): Promise<Task[]>;
  resolveTask(task: unknown): Promise<Task | undefined>;
}

export const tasks = {
  last: undefined as unknown,
  provider: undefined as Provider | undefined,
  registerTaskProvider(_type: string, provider: Provider): Disposable {
    tasks.provider = provider;
    return new Disposable(() => undefined);
  },
  async executeTask(task: Task): Promise<unknown> {
    stage.tasks.push(task);
    tasks.last = { task, terminate: () => undefined };
    return tasks.last;
  },
  onDidEndTaskProcess: stage.taskEnds.event,
};
