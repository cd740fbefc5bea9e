import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import os from "node:os";
import path from "node:path";
import vm from "node:vm";
import { strFromU8, unzipSync } from "fflate";
import { afterAll, expect, test } from "vitest";
import { check, renderDiagnostic } from "../../compiler/index.js";

const folder = new URL("../../editors/vscode/", import.meta.url);
const { packageExtension } = (await import(new URL("vsix.mjs", folder).href)) as {
  packageExtension: (bundles: string) => Uint8Array;
};
const { bundleExtension } = (await import(new URL("build.mjs", folder).href)) as {
  bundleExtension: (bundles: string) => Promise<void>;
};
// Outside of the project, whose scripts are modules; the extension's are not.
const bundles = mkdtempSync(path.join(os.tmpdir(), "resnetc-vsix-"));
afterAll(() => rmSync(bundles, { recursive: true }));
await bundleExtension(bundles);
const bytes = packageExtension(bundles);
const entries = unzipSync(bytes);
const textOf = (name: string): string => {
  const entry = entries[name];
  if (entry === undefined) throw new Error(`no ${name} in the archive`);
  return strFromU8(entry);
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly publisher: string;
  readonly engines: { readonly vscode: string };
  readonly contributes: {
    readonly languages: readonly {
      readonly id: string;
      readonly configuration: string;
      readonly extensions: string[];
    }[];
    readonly grammars: readonly { readonly scopeName: string; readonly path: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly default: unknown }>> };
    readonly problemPatterns: readonly [{ readonly regexp: string }];
    readonly problemMatchers: readonly { readonly background?: Readonly<Record<string, string>> }[];
  };
  readonly main: string;
  readonly browser: string;
  readonly icon: string;
}
const manifest = JSON.parse(textOf("extension/package.json")) as Manifest;

test("every file that the manifest names is in the archive, as it is in the folder", () => {
  const { languages, grammars } = manifest.contributes;
  const paths = [...languages.map((l) => l.configuration), ...grammars.map((g) => g.path)];
  expect(paths.length).toBeGreaterThan(2);
  for (const path of paths) {
    const inArchive = textOf(`extension/${path.replace(/^\.\//, "")}`);
    expect(inArchive).toBe(readFileSync(new URL(path, folder), "utf8"));
    expect(() => JSON.parse(inArchive) as unknown).not.toThrow();
  }
  for (const { scopeName, path } of grammars)
    expect(JSON.parse(textOf(`extension/${path.slice(2)}`))).toMatchObject({ scopeName });
});

test("the marketplace's manifest names the extension and assets that are in the archive", () => {
  const xml = textOf("extension.vsixmanifest");
  const { name, version, publisher, engines } = manifest;
  expect(xml).toContain(`<Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}"/>`);
  expect(xml).toContain(`Id="Microsoft.VisualStudio.Code.Engine" Value="${engines.vscode}"`);
  const assets = [...xml.matchAll(/<Asset [^>]*Path="([^"]+)"/g)].map(([, path = ""]) => path);
  expect(assets).toContain("extension/package.json");
  for (const asset of [...assets, /<License>(.*)<\/License>/.exec(xml)?.[1] ?? ""])
    expect(entries).toHaveProperty([asset]);
  // Every element is closed, in order.
  const open: string[] = [];
  for (const [, slash, element, empty] of xml.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (slash === "/") expect(open.pop()).toBe(element);
    else if (empty !== "/") open.push(element ?? "");
  }
  expect(open).toEqual([]);
});

test("every kind of file has its MIME type", () => {
  const types = textOf("[Content_Types].xml");
  for (const name of Object.keys(entries)) {
    const extension = /\.\w+$/.exec(name)?.[0] ?? "";
    if (name !== "[Content_Types].xml") expect(types).toContain(`Extension="${extension}"`);
  }
});

test("the same files give the same bytes", () => {
  expect(packageExtension(bundles)).toEqual(bytes);
  // DOS time and date of the first entry: midnight of 1 January 1980.
  expect([...bytes.slice(10, 14)]).toEqual([0, 0, 33, 0]);
});

test("it has all that a marketplace asks for", () => {
  expect(manifest).toMatchObject({
    license: "MIT",
    repository: { url: expect.stringMatching(/^https:/) as string },
    bugs: { url: expect.stringMatching(/^https:/) as string },
    categories: expect.arrayContaining(["Programming Languages"]) as string[],
    icon: "icon.png",
  });
  const icon = entries[`extension/${manifest.icon}`]!;
  // A PNG of 256 by 256 pixels.
  expect([...icon.slice(1, 4), ...icon.slice(16, 24)]).toEqual([80, 78, 71, 0, 0, 1, 0, 0, 0, 1, 0]);
  for (const page of ["README.md", "CHANGELOG.md"]) {
    const links = [...textOf(`extension/${page}`).matchAll(/\]\(([^)]*)\)/g)].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !/^(https:|#)/.test(link))).toEqual([]);
  }
  expect(textOf("extension/README.md")).toContain("https://github.com/resnetc/resnetc/raw/main/docs/images/vscode.png");
  const notices = textOf("extension/out/THIRD-PARTY-NOTICES.txt");
  for (const name of ["vscode-languageclient", "vscode-languageserver", "chevrotain", "protobufjs"]) {
    expect(notices).toContain(`\n${name} `);
  }
  expect(bytes.length).toBeLessThan(1.5e6);
});

test("the bundles need nothing but the editor, and on a desktop Node's own modules", () => {
  const known = new Set(["vscode", ...builtinModules.flatMap((name) => [name, `node:${name}`])]);
  const script = (entry: string): string => textOf(`extension/${entry.replace(/^\.\//, "")}`);
  const needs = (entry: string): string[] => [
    ...new Set([...script(entry).matchAll(/(?<![.\w])require\("([^"]+)"\)/g)].map(([, name]) => name!)),
  ];
  expect(needs(manifest.browser)).toEqual(["vscode"]);
  expect(needs(manifest.main)).toContain("vscode");
  expect(needs(manifest.main).filter((name) => !known.has(name))).toEqual([]);
  expect(needs("out/server-node.js").filter((name) => !known.has(name))).toEqual([]);
  expect([...needs("out/server-worker.js"), ...needs("out/page.js")]).toEqual([]);
  for (const entry of [manifest.main, manifest.browser, "out/server-node.js", "out/server-worker.js", "out/page.js"]) {
    expect(() => new vm.Script(script(entry))).not.toThrow();
  }
});

test("the server that is inside starts, and answers", async () => {
  const server = fork(path.join(bundles, "server-node.js"), ["--node-ipc"], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  try {
    const answer = new Promise<object>((resolve) => server.once("message", resolve));
    const params = { processId: process.pid, rootUri: null, capabilities: {} };
    server.send({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    expect(await answer).toMatchObject({
      id: 1,
      result: { serverInfo: { name: "resnetc", version: manifest.version } },
    });
  } finally {
    server.kill();
  }
});

test("the README says what settings there are, with their defaults", () => {
  const readme = textOf("extension/README.md");
  const said = [...readme.matchAll(/^\| `(resnetc\.[\w.]+)` +\| `(\w+)`/gm)].map(([, name, value]) => [name, value]);
  const { properties } = manifest.contributes.configuration;
  expect(said).toEqual(Object.entries(properties).map(([name, setting]) => [name, String(setting.default)]));
});

test("the problem matcher reads what check prints", () => {
  const text = "network A {\n  input image 3x8x8\n  cnv 3x3, 4\n}\n";
  const { diagnostics, sources } = check([{ path: "a.resnet", text }]);
  const [line] = renderDiagnostic(diagnostics[0]!, sources).split("\n");
  const pattern = new RegExp(manifest.contributes.problemPatterns[0].regexp);
  const { message } = diagnostics[0]!;
  expect(pattern.exec(line!)?.slice(1)).toEqual(["a.resnet", "3", "3", "error", "unknown-name", message]);
  const { background } = manifest.contributes.problemMatchers.find((each) => each.background)!;
  const watch = readFileSync(new URL("../../cli/diagnostics/watch.ts", folder), "utf8");
  for (const key of ["beginsPattern", "endsPattern"]) expect(watch).toContain(background![key]!.slice(1, -1));
});
