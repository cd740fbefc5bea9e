/**
 * Random edits through the protocol: the server answers everything, what it says of a text is what a check of that text alone
 * says, and its memory does not grow. A few hundred here; `RESNETC_BY_HAND=1` makes 10,000 of them in all standard files.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { check } from "../../compiler/analyze.js";
import { generator } from "../fuzz/mutate.js";
import { positionAt, startClient, type Client } from "./client.js";

const byHand = process.env["RESNETC_BY_HAND"] === "1";
const folder = new URL("../../stdlib/", import.meta.url);
const names = byHand ? readdirSync(folder) : ["blocks.resnet", "unet.resnet", "recipes.resnet"];
const EDITS = byHand ? Math.ceil(10_000 / names.length) : 80;

let client: Client;
beforeAll(async () => {
  client = await startClient();
});
afterAll(() => client.stop());

/** What people write and paste, whole and half. */
const PIECES = [
  "conv 3x3, ",
  "bn   relu\n",
  "{",
  "}",
  "(",
  ")",
  "\n",
  " ",
  "stage s /2 { relu }",
  "residual { ",
  "network X {\n",
  "block y(width) { relu }\n",
  'import { basic } from "std/blocks"\n',
  "let a = 1 / 0\n",
  '"',
  "//",
  "x 3",
  " on ",
  ".",
  ", ",
  "= ",
  "for i in 1 .. 3 { ",
  "é",
  "1e9",
  "if ",
  "assert ",
];

const AT_PLACE = ["hover", "completion", "signatureHelp", "definition", "documentHighlight", "prepareRename"];
const OF_FILE = ["documentSymbol", "foldingRange", "semanticTokens/full", "documentLink", "codeLens"];

async function ask(uri: string, random: (limit: number) => number): Promise<void> {
  const text = client.textOf(uri);
  const position = positionAt(text, random(text.length + 1));
  const kind = random(AT_PLACE.length + OF_FILE.length + 2);
  const textDocument = { uri };
  const range = { start: { line: 0, character: 0 }, end: positionAt(text, text.length) };
  if (kind < AT_PLACE.length) {
    // That something can't be renamed is an answer.
    await client
      .request(`textDocument/${AT_PLACE[kind]!}`, { textDocument, position })
      .catch((error: { code: number }) => {
        if (AT_PLACE[kind] !== "prepareRename" || error.code !== -32600) throw error as unknown as Error;
      });
  } else if (kind < AT_PLACE.length + OF_FILE.length) {
    await client.request(`textDocument/${OF_FILE[kind - AT_PLACE.length]!}`, { textDocument });
  } else if (kind === AT_PLACE.length + OF_FILE.length) {
    await client.request("textDocument/inlayHint", { textDocument, range });
  } else {
    await client.request("textDocument/codeAction", { textDocument, range, context: { diagnostics: [] } });
  }
}

function edit(uri: string, whole: string, random: (limit: number) => number): void {
  const text = client.textOf(uri);
  if (random(25) === 0 || text.length > 3 * whole.length) return client.edit(uri, 0, text.length, whole);
  const at = random(text.length + 1);
  switch (random(4)) {
    case 0:
      return client.edit(uri, at, Math.min(text.length, at + 1 + random(6)), "");
    case 1:
      return client.edit(uri, at, Math.min(text.length, at + random(40)), PIECES[random(PIECES.length)]!);
    case 2:
      // A line is taken away, or doubled.
      return client.edit(uri, at, at, text.slice(at, text.indexOf("\n", at) + 1));
    default:
      return client.edit(uri, at, at, PIECES[random(PIECES.length)]!);
  }
}

async function expectFresh(uri: string, path: string): Promise<void> {
  const text = client.textOf(uri);
  const found = await client.diagnostics(uri);
  const fresh = check([{ path, text }]).diagnostics.filter(({ span }) => span.file === path);
  const place = (line: number, character: number): string => `${line}:${character}`;
  const expected = fresh.map(({ code, span }) => {
    const { line, character } = positionAt(text, span.start);
    return `${code} ${place(line, character)}`;
  });
  expect(found.map(({ code, range: { start } }) => `${code!} ${place(start.line, start.character)}`).sort()).toEqual(
    expected.sort(),
  );
}

function heap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

it(
  "answers everything, and what it publishes is of the text as it is",
  { timeout: byHand ? 3_600_000 : 60_000 },
  async () => {
    let before = 0;
    for (const [index, name] of names.entries()) {
      const random = generator(index + 1);
      const [uri, path] = [`file:///${name}`, `/${name}`];
      const whole = readFileSync(new URL(name, folder), "utf8");
      client.open(uri, whole);
      for (let i = 0; i < EDITS; i++) {
        edit(uri, whole, random);
        if (random(2) === 0) await ask(uri, random);
        if (i % (byHand ? 20 : 8) === 0) await expectFresh(uri, path);
      }
      await expectFresh(uri, path);
      client.close(uri);
      if (index === 2) before = heap();
    }
    // Of what was closed nothing is kept but the library's own files.
    if (byHand) expect(heap() - before).toBeLessThan(40e6);
  },
);
