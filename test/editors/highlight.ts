/** Tokenises text as VS Code does: vscode-textmate with Oniguruma. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate, { type IGrammar } from "vscode-textmate";

const require = createRequire(import.meta.url);
const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));

export const syntaxes = new URL("../../editors/vscode/syntaxes/", import.meta.url);

const FILES: Readonly<Record<string, string>> = {
  "source.resnet": "resnet.tmLanguage.json",
  "markdown.resnet.codeblock": "markdown.tmLanguage.json",
};

export async function loadGrammar(scopeName: string): Promise<IGrammar> {
  await oniguruma.loadWASM(new Uint8Array(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (name) => {
      const file = FILES[name];
      if (file === undefined) return null;
      return textmate.parseRawGrammar(readFileSync(new URL(file, syntaxes), "utf8"), file);
    },
  });
  const grammar = await registry.loadGrammar(scopeName);
  if (grammar === null) throw new Error(`no grammar ${scopeName}`);
  return grammar;
}

export interface Piece {
  readonly text: string;
  /** The innermost first, without the language's suffix. */
  readonly scopes: readonly string[];
}

/** Every piece of a text that is not blank, with its scopes. */
export function tokenize(grammar: IGrammar, text: string): Piece[] {
  const pieces: Piece[] = [];
  let state = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const result = grammar.tokenizeLine(line, state);
    for (const { startIndex, endIndex, scopes } of result.tokens) {
      const piece = line.slice(startIndex, endIndex).trim();
      if (piece !== "")
        pieces.push({ text: piece, scopes: scopes.toReversed().map((s) => s.replace(/\.resnet$/, "")) });
    }
    state = result.ruleStack;
  }
  return pieces;
}
