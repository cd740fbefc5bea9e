/**
 * Words with bare arguments that the grammar does not know (`batch_renorm 32`): it says that they take none. Whether such
 * a word is known at all is asked here, since a word that nothing declares is unknown before all else.
 */
import type { Identifier, SourceFile } from "../../grammar/ast.js";
import type { SyntaxError } from "../../grammar/errors.js";
import { own } from "../../grammar/own.js";
import type { Reporter } from "../diagnostics/reporter.js";
import { helpForUnknown, NO_LAYER, NOTHING } from "../diagnostics/suggest.js";
import { LAYER_WORDS } from "../elaborate/layer-words.js";
import { GROUPS, GROUPS_OF, type WordGroup } from "../vocabulary.js";
import type { Word } from "../words/schema.js";

/** Reports the error as what it is. */
export function reportSyntaxError(error: SyntaxError, file: SourceFile, reporter: Reporter): void {
  const { code, span, message, help, fix, related, word } = error;
  const groups = word ? groupsAt(word, file) : [];
  const layer: Word | undefined = word && own(LAYER_WORDS, word.text);
  if (word && !isKnown(word.text, groups, file)) {
    const words = groups.flatMap(namesOfWords);
    const what = groups.includes(GROUPS.layers) ? NO_LAYER : NOTHING;
    reporter.reportSyntax("unknown-name", word.span, `${what} \`${word.text}\``, {
      help: () => helpForUnknown(word.text, () => [...namesOf(file), ...words]),
    });
  } else if (layer?.braces) {
    const help = `write \`${word!.text} { identity } { ... }\``;
    reporter.reportSyntax("missing-body", span, `\`${word!.text}\` takes its branches in braces`, { help });
  } else if (layer && Object.keys(layer.arguments).length === 0) {
    reporter.reportSyntax("too-many-arguments", span, `\`${word!.text}\` takes no arguments`);
  } else {
    reporter.reportSyntax(code, span, message, { help, fix, notes: related ?? [] });
  }
}

/** Of the declaration around the word. */
function groupsAt({ span }: Identifier, { declarations }: SourceFile): readonly WordGroup[] {
  const around = declarations.find((each) => each.span.start <= span.start && span.end <= each.span.end);
  return around === undefined || around.keyword === "let" ? [] : GROUPS_OF[around.keyword];
}

function isKnown(word: string, groups: readonly WordGroup[], file: SourceFile): boolean {
  return groups.some((group) => namesOfWords(group).includes(word)) || namesOf(file).has(word);
}

/** Of the group's words, and of those that stand in their braces. */
function namesOfWords({ words }: WordGroup): string[] {
  return Object.values<Word>(words).flatMap(({ name, braces }) => [
    name,
    ...(typeof braces === "object" ? Object.keys(braces) : []),
  ]);
}

const named = new WeakMap<SourceFile, ReadonlySet<string>>();

/** Every name that the file gives to something, wherever it is known. */
function namesOf(file: SourceFile): ReadonlySet<string> {
  const before = named.get(file);
  if (before) return before;
  const names = new Set(file.imports.flatMap((item) => item.names.map(({ name, alias }) => (alias ?? name).text)));
  const open: unknown[] = [file.declarations];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    const { name, label, variable } = next as Record<string, { readonly text?: string } | undefined>;
    for (const each of [name, label, variable]) if (each?.text) names.add(each.text);
    open.push(...(Object.values(next) as unknown[]));
  }
  named.set(file, names);
  return names;
}
