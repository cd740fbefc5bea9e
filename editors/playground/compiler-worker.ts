/** The compiler in a worker: the language server's answers, without its protocol. */
import {
  actionsAt,
  completionAt,
  Editor,
  formatFile,
  HINTS,
  hintsIn,
  hoverAt,
  networkAt,
  tokensOf,
  type Edit,
  type NetworkName,
} from "../../compiler/editor/index.js";
import { applied } from "../../compiler/editor/references.js";
import { elaborate, standardTargets } from "../../compiler/analyze.js";
import type { Model } from "../../compiler/model.js";
import { summarize } from "../../compiler/summary.js";
import { parseTarget } from "../../compiler/target.js";
import { figure } from "../../runtime/figures/figure.js";
import type { Answer, Call, Change, Compiler, Problem, Told } from "./protocol.js";

const PATH = "network.resnet";

const editor = new Editor({ read: () => undefined });
let before: NetworkName | undefined;
let shown: Model | undefined;

function write(text: string): void {
  if (editor.source(PATH) === text) return;
  editor.write(PATH, text);
  editor.check();
}

const change = ({ span, text }: Edit): Change => ({ from: span.start, to: span.end, insert: text });

function problems(): Problem[] {
  return (editor.diagnostics().get(PATH) ?? []).map(({ span, severity, message, help, code }) => ({
    from: span.start,
    to: span.end,
    severity: severity === "error" ? "error" : "warning",
    message,
    ...(help !== undefined && { help }),
    fixes: actionsAt(editor, PATH, span)
      .filter(({ mends }) => mends.code === code && mends.span.start === span.start)
      .map(({ title, edits }) => ({ title, changes: edits.map(change) })),
  }));
}

let drawn: { readonly models: readonly Model[]; readonly drawing: Told["drawing"] } | undefined;

function drawingOf(models: readonly Model[]): Told["drawing"] {
  if (drawn?.models.length === models.length && drawn.models.every((model, at) => model === models[at])) {
    return drawn.drawing;
  }
  const drawing = { svg: figure(models), summaries: models.map(summarize) };
  drawn = { models, drawing };
  return drawing;
}

let compared: { readonly target: string; readonly model: Model | undefined; readonly problem: string } | undefined;

/** A network of the standard library, by its name and arguments. */
function comparedWith(target: string): typeof compared {
  if (target.trim() === "") return undefined;
  if (compared?.target === target) return compared;
  try {
    const { model, diagnostics } = elaborate(parseTarget(target.trim()));
    compared = { target, model, problem: model ? "" : (diagnostics[0]?.message ?? "has errors") };
  } catch (error) {
    compared = { target, model: undefined, problem: (error as Error).message };
  }
  return compared;
}

const compiler: Compiler = {
  update(text, cursor, compare) {
    write(text);
    const found = networkAt(editor, PATH, cursor, new Map(), before);
    if (found) before = { path: found.path, name: found.name };
    shown = found?.model;
    const other = comparedWith(compare);
    const models = [shown, shown && other?.model].filter((model) => model !== undefined);
    const drawing = models.length > 0 ? drawingOf(models) : undefined;
    return {
      problems: problems(),
      tokens: tokensOf(editor, PATH).map(({ start, end, type }) => ({ from: start, to: end, type })),
      hints: hintsIn(editor, PATH, { start: 0, end: text.length }, HINTS, new Map()).map((hint) => ({
        at: hint.offset,
        text: hint.text,
        more: hint.tooltip,
      })),
      ...(drawing && { drawing }),
      layers: found?.layers ?? [],
      ...(other?.problem && { compareProblem: other.problem }),
    };
  },
  complete(text, cursor) {
    write(text);
    const { span, items } = completionAt(editor, PATH, cursor);
    return {
      from: span.start,
      to: span.end,
      options: items.map(({ label, kind, detail, documentation, snippet, rank, edits = [] }) => ({
        label,
        kind,
        detail,
        rank,
        changes: edits.map(change),
        ...(documentation !== undefined && { info: documentation }),
        ...(snippet !== undefined && { snippet }),
      })),
    };
  },
  hover(text, at) {
    write(text);
    const found = hoverAt(editor, PATH, at);
    return found && { from: found.span.start, to: found.span.end, text: found.text };
  },
  format(text) {
    write(text);
    const edits = formatFile(editor, PATH);
    return edits && applied(text, edits);
  },
  async compile() {
    if (!shown) return undefined;
    // What writes ONNX is fetched when it is asked for.
    const { concat, emitModel } = await import("./emit.js");
    const { chunks, byteLength, external } = emitModel(shown, { seed: 1 });
    if (external) throw new Error(`${shown.name} is too large for one file: use resnetc compile`);
    return { name: shown.name, bytes: concat(chunks, byteLength) };
  },
  standard: () => standardTargets(),
};

async function answer({ id, method, given }: Call): Promise<void> {
  const call = compiler[method] as (...given: readonly unknown[]) => unknown;
  let answered: Answer;
  try {
    answered = { id, value: await call(...given) };
  } catch (error) {
    answered = { id, error: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(answered);
}

self.addEventListener("message", ({ data }: MessageEvent<Call>) => void answer(data));
