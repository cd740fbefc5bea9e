/** What `resnetc explain` says of a word of the language, from its record. */
import { isBare, type Argument } from "../compiler/words/schema.js";
import { signature, takes, written } from "../compiler/words/describe.js";
import type { FoundWord } from "../compiler/vocabulary.js";

/** As Markdown. */
export function wordPage({ word, of, isForm }: FoundWord): string {
  const { name, doc, source, alternatives = [], needs = [], braces } = word;
  const quoted = (names: readonly string[]): string => names.map((each) => `\`${each}\``).join(", ");
  const notes = [
    alternatives.length > 0 && `One alone of ${quoted(alternatives)} can be given.`,
    needs.length > 0 && `One of ${quoted(needs)} is needed.`,
    braces &&
      (typeof braces === "object" ? `In its braces: ${quoted(Object.keys(braces))}.` : "Layers follow in braces."),
    source && `Source: ${source}.`,
  ].filter((note) => typeof note === "string");
  const list = signature(word);
  const usage = `    ${name}${list === "" ? "" : isBare(word) && !isForm ? ` ${list}` : `(${list})`}${braces ? " { ... }" : ""}`;
  const argumentLines = Object.entries(word.arguments).map(
    ([argument, record]) => `- \`${argument}\`: ${takes(record)}${presence(record)}. ${record.doc}`,
  );
  return [`## ${name}: a word of ${of}`, doc, usage, argumentLines.join("\n"), notes.join(" ")]
    .filter((part) => part !== "")
    .join("\n\n");
}

function presence(argument: Argument): string {
  if (argument.presence === "required") return "; required";
  return argument.presence === "default" ? `; ${written(argument, argument.default)} where it is left out` : "";
}

/** For programs. */
export function wordReport({ word, of }: FoundWord): Readonly<Record<string, unknown>> {
  const { name, doc, source, alternatives, needs } = word;
  return {
    word: name,
    of,
    doc,
    ...(source !== undefined && { source }),
    arguments: Object.entries(word.arguments).map(([argument, record]) => ({
      name: argument,
      doc: record.doc,
      takes: takes(record),
      presence: record.presence,
      ...(record.default !== undefined && { default: written(record, record.default) }),
      ...(record.many && { many: true }),
      ...("min" in record.type && { min: record.type.min }),
      ...("max" in record.type && { max: record.type.max }),
      ...("words" in record.type && { words: record.type.words }),
      ...(record.type.kind === "form" && { words: Object.keys(record.type.forms) }),
    })),
    ...(alternatives && { alternatives }),
    ...(needs && { needs }),
  };
}
