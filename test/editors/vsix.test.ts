import { readFileSync } from "node:fs";
import { strFromU8, unzipSync } from "fflate";
import { expect, test } from "vitest";
import { parse } from "../../compiler/syntax.js";

const folder = new URL("../../editors/vscode/", import.meta.url);
const { packageExtension } = (await import(new URL("vsix.mjs", folder).href)) as { packageExtension: () => Uint8Array };
const bytes = packageExtension();
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
    readonly snippets: readonly { readonly path: string }[];
  };
}
const manifest = JSON.parse(textOf("extension/package.json")) as Manifest;

test("every file that the manifest names is in the archive, as it is in the folder", () => {
  const { languages, grammars, snippets } = manifest.contributes;
  const paths = [
    ...languages.map((l) => l.configuration),
    ...grammars.map((g) => g.path),
    ...snippets.map((s) => s.path),
  ];
  expect(paths.length).toBeGreaterThan(3);
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
  expect(packageExtension()).toEqual(bytes);
  // DOS time and date of the first entry: midnight of 1 January 1980.
  expect([...bytes.slice(10, 14)]).toEqual([0, 0, 33, 0]);
});

test("snippets are correct programs", () => {
  const snippets = JSON.parse(textOf("extension/snippets/resnet.json")) as Record<
    string,
    { prefix: string; body: string[] }
  >;
  for (const { prefix, body } of Object.values(snippets)) {
    const text = body
      .join("\n")
      .replace(/\$\{\d+:([^}]*)\}/g, "$1")
      .replace(/\$\{\d+\|([^,}]*),[^}]*\|\}/g, "$1")
      .replace(/\$\d/g, "");
    const isStatement = prefix === "stage" || prefix === "conv";
    expect(parse(isStatement ? `block b { ${text} }` : text, prefix).errors).toEqual([]);
  }
});
