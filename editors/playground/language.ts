/** The language in the editor: what the compiler's worker tells of the text, as CodeMirror shows it. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  insertCompletionText,
  snippet,
} from "@codemirror/autocomplete";
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentService, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  WidgetType,
  type DecorationSet,
} from "@codemirror/view";
import { element } from "./dom.js";
import type { compilerOf, Problem, Told } from "./protocol.js";

type Later = ReturnType<typeof compilerOf>;

class HintWidget extends WidgetType {
  readonly #text: string;
  readonly #more: string;

  constructor(text: string, more: string) {
    super();
    this.#text = text;
    this.#more = more;
  }

  override eq(other: HintWidget): boolean {
    return other.#text === this.#text;
  }

  toDOM(): HTMLElement {
    // What a screen reader reads in the line is the line.
    return element("span", { class: "hint", "aria-hidden": "true", title: plain(this.#more) }, this.#text);
  }
}

const tell = StateEffect.define<Pick<Told, "tokens" | "hints">>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(before, { changes, effects, state }) {
    let marked = before.map(changes);
    for (const effect of effects) {
      if (!effect.is(tell)) continue;
      const { tokens, hints } = effect.value;
      const { length } = state.doc;
      const ranges: Range<Decoration>[] = [
        ...tokens
          .filter(({ from, to }) => from < to && to <= length)
          .map(({ from, to, type }) => Decoration.mark({ class: `tok-${type}` }).range(from, to)),
        ...hints
          .filter(({ at }) => at <= length)
          .map(({ at, text, more }) => Decoration.widget({ widget: new HintWidget(text, more), side: 1 }).range(at)),
      ];
      marked = Decoration.set(ranges, true);
    }
    return marked;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Shows what was told of the text as it is. */
export function show(view: EditorView, told: Told): void {
  view.dispatch({ effects: tell.of(told) });
  view.dispatch(
    setDiagnostics(
      view.state,
      told.problems.map((problem) => diagnostic(problem, view.state.doc.length)),
    ),
  );
}

export function mend(view: EditorView, { changes }: Problem["fixes"][number]): void {
  view.dispatch({ changes: changes.map((each) => ({ ...each })), userEvent: "input.fix" });
  view.focus();
}

function diagnostic(problem: Problem, length: number): Diagnostic {
  const from = Math.min(problem.from, length);
  return {
    from,
    to: Math.min(Math.max(problem.to, from), length),
    severity: problem.severity,
    message: problem.help === undefined ? problem.message : `${problem.message}\n${problem.help}`,
    actions: problem.fixes.map((fix) => ({ name: fix.title, apply: (view: EditorView) => mend(view, fix) })),
  };
}

/** Markdown as text: marks that only a page would show are left out. */
function plain(markdown: string): string {
  return markdown
    .replace(/```\w*\n?|`|\*\*/g, "")
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, "$1 ($2)")
    .replace(/^\|[-:| ]+\|\n?/gm, "")
    .replace(/\n+---\n+/g, "\n\n")
    .trim();
}

const KINDS: Readonly<Record<string, string>> = {
  argument: "property",
  block: "function",
  network: "class",
  stage: "namespace",
  word: "keyword",
};

function completions(compiler: Later) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString();
    const typed = context.matchBefore(/[\w./"]+$/);
    if (!typed && !context.explicit) return null;
    const found = await compiler.complete(text, context.pos);
    if (context.aborted || found.options.length === 0) return null;
    return {
      from: found.from,
      to: found.to,
      options: found.options.map((option): Completion => {
        const { label, kind, detail, info, rank, changes } = option;
        const template = option.snippet?.replace(/\$(\d+)/g, "${$1}");
        return {
          label,
          type: KINDS[kind] ?? "variable",
          detail,
          boost: -rank,
          ...(info !== undefined && { info: () => element("div", { class: "hover" }, plain(info)) }),
          apply(view, completion, from, to) {
            if (template !== undefined) snippet(template)(view, completion, from, to);
            else view.dispatch(insertCompletionText(view.state, label, from, to));
            // Imports stand before the place.
            if (changes.length > 0) view.dispatch({ changes: changes.map((each) => ({ ...each })) });
          },
        };
      }),
    };
  };
}

export interface Handlers {
  readonly onChange: () => void;
  readonly onMove: () => void;
  readonly format: () => void;
}

export function language(compiler: Later, { onChange, onMove, format }: Handlers): Extension {
  return [
    lineNumbers(),
    lintGutter(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    drawSelection(),
    history(),
    bracketMatching(),
    closeBrackets(),
    highlightSelectionMatches(),
    indentUnit.of("  "),
    indentService.of((context, at) => {
      const before = context.lineAt(at, -1).text;
      const opened = /[{[(]\s*(\/\/.*)?$/.test(before) ? 2 : 0;
      return /^\s*/.exec(before)![0].length + opened;
    }),
    EditorState.languageData.of(() => [{ commentTokens: { line: "//" } }]),
    autocompletion({ override: [completions(compiler)] }),
    hoverTooltip(async (view, at) => {
      const found = await compiler.hover(view.state.doc.toString(), at);
      if (!found) return null;
      const dom = element("div", { class: "hover" }, plain(found.text));
      return { pos: found.from, end: found.to, create: () => ({ dom }) };
    }),
    marks,
    keymap.of([
      { key: "Shift-Alt-f", run: () => (format(), true) },
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...completionKeymap,
      ...lintKeymap,
    ]),
    EditorView.contentAttributes.of({ "aria-label": "Source of the network. Escape, then Tab, leaves the editor." }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange();
      else if (update.selectionSet) onMove();
    }),
  ];
}
