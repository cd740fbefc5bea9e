/** A folder as a site, and a browser that looks at it. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { chromium, type Browser } from "playwright-core";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

/** Whether browser tests may be left out: .ci/run installs Chromium and requires them. */
export const NO_BROWSER = CHROMIUM === undefined && process.env["RESNETC_REQUIRE_WEBGPU"] !== "1";

/** WebGPU in software. */
const GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/** Chromium without a window, with a camera that shows a test picture; where asked for, with WebGPU in software. */
export function launch({ gpu = false } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
      ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
      ...(gpu ? GPU : ["--disable-gpu"]),
    ],
  });
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".jpg": "image/jpeg",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

export interface Site {
  /** `http://127.0.0.1:40123/`, which browsers trust as they trust https. */
  readonly address: string;
  close(): void;
}

/**
 * Serves folders under their paths: `{ "/": "out/site", "/ort/": "node_modules/..." }`.
 *
 * @param onMissing told the path of what was asked for and is not there
 */
export async function serve(
  folders: Readonly<Record<string, string>>,
  onMissing?: (pathname: string) => void,
): Promise<Site> {
  const places = Object.entries(folders).sort((a, b) => b[0].length - a[0].length);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [prefix, folder] = places.find(([prefix]) => pathname.startsWith(prefix)) ?? ["/", ""];
    let file = path.join(folder, decodeURIComponent(pathname.slice(prefix.length)));
    if (existsSync(file) && statSync(file).isDirectory()) file = path.join(file, "index.html");
    if (folder === "" || !file.startsWith(folder) || !existsSync(file)) {
      onMissing?.(pathname);
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", TYPES[path.extname(file)] ?? "application/octet-stream");
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
