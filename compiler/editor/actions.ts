/** How a problem can be mended: one edit for each way. */
import type { Span } from "../../grammar/ast.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { fixOf } from "../diagnostics/fix.js";
import { standardFileOf } from "../diagnostics/standard-names.js";
import { STANDARD_FILES } from "../std/files.generated.js";
import { isStandard, type Editor } from "./editor.js";
import { autoImport, importPath } from "./imports.js";
import type { Edit } from "./references.js";
import { statementsAt } from "./syntax-at.js";
import type { Parsed } from "../workspace/parses.js";

/** One way to mend a problem. */
export interface Action {
  readonly title: string;
  readonly edits: readonly Edit[];
  readonly mends: Diagnostic;
  /** The one that is meant most likely. */
  readonly isPreferred: boolean;
}

/** What mends the problems that touch a range. */
export function actionsAt(editor: Editor, path: string, range: Pick<Span, "start" | "end">): Action[] {
  const parsed = editor.parsed(path);
  if (!parsed || isStandard(path)) return [];
  const found = editor.diagnostics().get(path) ?? [];
  return found
    .filter(({ span }) => span.start <= range.end && range.start <= span.end)
    .flatMap((diagnostic) => WAYS.flatMap((way) => way(editor, parsed, diagnostic)))
    .filter(({ edits }) => edits.length > 0);
}

type Way = (editor: Editor, parsed: Parsed, diagnostic: Diagnostic) => Action[];

const one = (mends: Diagnostic, title: string, edits: readonly Edit[], isPreferred = true): Action[] => [
  { title, edits, mends, isPreferred },
];

const WAYS: readonly Way[] = [
  /** What the compiler knows to write in its place. */
  (_, { text }, diagnostic) => {
    const fix = fixOf(diagnostic, text);
    if (fix === undefined) return [];
    const { span } = diagnostic;
    const old = text.slice(span.start, span.end);
    const title =
      fix === ""
        ? `Remove \`${old}\``
        : old === ""
          ? `Write \`${fix.trim()}\``
          : `Write \`${fix.trim()}\` in place of \`${old}\``;
    return one(diagnostic, title, [{ span, text: fix }]);
  },
  /** The import of what another file declares. */
  (editor, parsed, diagnostic) => {
    if (diagnostic.code !== "unknown-name") return [];
    const name = parsed.text.slice(diagnostic.span.start, diagnostic.span.end);
    const standard = standardFileOf(name);
    const others = editor
      .allFiles()
      .filter((path) => path !== parsed.path && !isStandard(path) && editor.parsed(path)?.declared.has(name));
    const from = [
      ...others.map((path) => importPath(parsed.path, path)),
      ...(standard === undefined ? [] : [standard]),
    ];
    return from.flatMap((file) =>
      one(diagnostic, `Import \`${name}\` from "${file}"`, [autoImport(parsed, name, file)], from.length === 1),
    );
  },
  /** An import that nothing uses, with its comma; all of it where it has one name. */
  (_, parsed, diagnostic) => {
    if (diagnostic.code !== "unused-import") return [];
    const { file, text, path } = parsed;
    const item = file.imports.find(
      ({ span }) => span.start <= diagnostic.span.start && diagnostic.span.end <= span.end,
    );
    const index =
      item?.names.findIndex(({ span }) => span.start <= diagnostic.span.start && diagnostic.span.end <= span.end) ?? -1;
    if (!item || index < 0) return [];
    const [name, next, previous] = [item.names[index]!, item.names[index + 1], item.names[index - 1]];
    const whole = {
      start: item.span.start,
      end: item.span.end + (text.slice(item.span.end).match(/^[ \t]*\r?\n/)?.[0].length ?? 0),
    };
    const part = next
      ? { start: name.span.start, end: next.span.start }
      : { start: previous?.span.end ?? 0, end: name.span.end };
    return one(diagnostic, `Remove the import of \`${name.name.text}\``, [
      { span: { file: path, ...(item.names.length === 1 ? whole : part) }, text: "" },
    ]);
  },
  /** A name that is kept though nothing uses it. */
  (_, { text }, diagnostic) => {
    if (diagnostic.code !== "unused-name") return [];
    const name = text.slice(diagnostic.span.start, diagnostic.span.end);
    return one(diagnostic, `Call it \`_${name}\`, to keep it`, [{ span: diagnostic.span, text: `_${name}` }], false);
  },
  projection,
  resizeLike,
  headInput,
];

/** A shortcut that follows a change of shape, for the residual that needs it. */
function projection(_: Editor, parsed: Parsed, diagnostic: Diagnostic): Action[] {
  if (diagnostic.code !== "shape-mismatch" || !diagnostic.message.startsWith("the shortcut gives")) return [];
  if (!(diagnostic.help ?? "").includes("projection_on_change")) return [];
  const declaration = parsed.file.declarations.find(
    ({ span }) => span.start <= diagnostic.span.start && diagnostic.span.end <= span.end,
  );
  const { text, path } = parsed;
  const name = "projection_on_change";
  const isKnown = parsed.file.imports.some(({ names }) =>
    names.some((each) => (each.alias ?? each.name).text === name),
  );
  const imports = isKnown || parsed.declared.has(name) ? [] : [autoImport(parsed, name, "std/shortcuts")];
  const here = statementsAt(parsed.file, diagnostic.span.start + 1).findLast(
    (statement) => statement.kind === "use" && statement.span.start === diagnostic.span.start,
  );
  const own: Action[] = [];
  if (here?.kind === "use" && here.target[0]?.text === "residual" && here.arguments.length === 0) {
    const at = here.target[0].span.end;
    const rest = text.slice(at).match(/^\(\s*\)/)?.[0].length ?? 0;
    const edit = { span: { file: path, start: at, end: at + rest }, text: `(shortcut: ${name})` };
    own.push(
      ...one(
        diagnostic,
        `Give this residual the shortcut \`${name}\``,
        [...imports, edit],
        declaration?.keyword !== "network",
      ),
    );
  }
  const input = declaration?.body?.statements.find(({ kind }) => kind === "input");
  if (!input || declaration?.keyword !== "network") return own;
  const indent = text.slice(text.lastIndexOf("\n", input.span.start - 1) + 1, input.span.start);
  const separator = /^\s*$/.test(indent) ? `\n${indent}` : "   ";
  const edit = {
    span: { file: path, start: input.span.end, end: input.span.end },
    text: `${separator}shortcuts ${name}`,
  };
  return [
    ...one(diagnostic, `Give all residuals of ${declaration.name.text} the shortcut \`${name}\``, [...imports, edit]),
    ...own,
  ];
}

/** Maps of different sizes are joined: one is brought to the size of the other, where that has a name. */
function resizeLike(_: Editor, parsed: Parsed, diagnostic: Diagnostic): Action[] {
  if (diagnostic.code !== "shape-mismatch") return [];
  const merge = statementsAt(parsed.file, diagnostic.span.start + 1).find(
    (statement) =>
      statement.kind === "use" && statement.span.start === diagnostic.span.start && statement.bodies.length > 1,
  );
  if (merge?.kind !== "use") return [];
  // Only one that is a label and nothing else has a name: `add { p2 } { ... }`.
  const labels = merge.bodies.map(({ statements }) => {
    const [only] = statements;
    const isLabel =
      statements.length === 1 && only?.kind === "use" && only.style === "none" && only.bodies.length === 0;
    return isLabel && !only.target.some(({ text }) => text === "identity")
      ? parsed.text.slice(only.span.start, only.span.end)
      : undefined;
  });
  const like = labels.findLast((label) => label !== undefined);
  const other = merge.bodies.find((_body, i) => labels[i] !== like);
  if (like === undefined || !other) return [];
  const at = other.statements.at(-1)?.span.end ?? other.span.start + 1;
  const edit = { span: { file: parsed.path, start: at, end: at }, text: `   resize_like ${like}` };
  return one(diagnostic, `Bring the branch to the size of \`${like}\` by \`resize_like\``, [edit], false);
}

/** A network without its input. */
function headInput(_: Editor, parsed: Parsed, diagnostic: Diagnostic): Action[] {
  if (diagnostic.code !== "missing-input") return [];
  const declaration = parsed.file.declarations.find(
    ({ span }) => span.start <= diagnostic.span.start && diagnostic.span.end <= span.end,
  );
  if (!declaration?.body) return [];
  const at = declaration.body.span.start + 1;
  return one(diagnostic, "Begin with `input image 3x224x224`", [
    { span: { file: parsed.path, start: at, end: at }, text: "\n  input image 3x224x224" },
  ]);
}

/** Every file of the standard library, for whoever opens one to read it. */
export function standardSource(path: string): string | undefined {
  return isStandard(path) ? STANDARD_FILES[path] : undefined;
}
