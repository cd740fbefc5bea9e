/* global exports, fetch, require, TextEncoder */
// A file system in memory: `memfs:/`, filled with what the page's server gives as /files.json.
const vscode = require("vscode");

exports.activate = async (context) => {
  const given = await fetch(context.extensionUri.with({ path: "/files.json" }).toString());
  const encoder = new TextEncoder();
  const files = new Map(Object.entries(await given.json()).map(([path, text]) => [path, encoder.encode(text)]));
  const changed = new vscode.EventEmitter();
  const { Directory, File } = vscode.FileType;

  const existing = ({ path }) => {
    const content = files.get(path);
    if (!content) throw vscode.FileSystemError.FileNotFound(path);
    return content;
  };
  const within = ({ path }) => [...files.keys()].filter((file) => file.startsWith(path === "/" ? "/" : `${path}/`));

  const provider = {
    onDidChangeFile: changed.event,
    watch: () => new vscode.Disposable(() => undefined),
    stat(uri) {
      if (!files.has(uri.path) && within(uri).length > 0) return { type: Directory, ctime: 0, mtime: 0, size: 0 };
      return { type: File, ctime: 0, mtime: 0, size: existing(uri).length };
    },
    readDirectory(uri) {
      const start = uri.path === "/" ? 1 : uri.path.length + 1;
      const names = within(uri).map((file) => file.slice(start).split("/"));
      return [...new Map(names.map(([name, ...rest]) => [name, rest.length > 0 ? Directory : File]))];
    },
    readFile: existing,
    writeFile(uri, content) {
      const { Changed, Created } = vscode.FileChangeType;
      const type = files.has(uri.path) ? Changed : Created;
      files.set(uri.path, content);
      changed.fire([{ type, uri }]);
    },
    createDirectory() {},
    delete: ({ path }) => void files.delete(path),
    rename(from, to) {
      files.set(to.path, existing(from));
      files.delete(from.path);
    },
  };
  context.subscriptions.push(vscode.workspace.registerFileSystemProvider("memfs", provider));
};
