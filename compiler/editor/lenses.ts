/** Lines above declarations: what a network costs and what can be done with it; which use of a block is shown in it. */
import type { Declaration, Span } from "../../grammar/ast.js";
import type { Model } from "../model.js";
import { costOfLayers, type Cost } from "../summary.js";
import type { Editor } from "./editor.js";
import { instancesOf, shortCount } from "./facts.js";
import { choiceKey, placeOf, type Chosen } from "./hints.js";

/** A line above a declaration. */
export interface Lens {
  readonly span: Span;
  readonly title: string;
  /** What happens when it is clicked; undefined: it only tells. */
  readonly action?:
    | { readonly kind: "summary" | "figure" | "compile" | "train"; readonly target: string }
    | { readonly kind: "choose"; readonly declaration: string; readonly places: readonly string[] };
}

/** Uses of a block among which one can choose. */
const MOST_PLACES = 200;

/** The lines above the declarations of a file. */
export function lensesIn(editor: Editor, path: string, chosen: Chosen): Lens[] {
  const parsed = editor.parsed(path);
  if (!parsed) return [];
  const models = new Map(
    editor
      .elaborated(path)
      .flatMap(({ path: of, name, model }) => (of === path && model ? [[name, model] as const] : [])),
  );
  return parsed.file.declarations.flatMap((declaration): Lens[] => {
    const { keyword, name } = declaration;
    const span = name.span;
    if (keyword === "network" || keyword === "detector") {
      const model = models.get(name.text);
      if (!model) return [];
      const { params, macs } = costOf(model);
      const cost = macs === null ? "" : ` · ${shortCount(macs)} multiply-adds`;
      const target = `${path}#${name.text}`;
      return [
        { span, title: `${shortCount(params)} parameters${cost}`, action: { kind: "summary", target } },
        ...(["figure", "compile", "train"] as const).map((kind) => ({ span, title: kind, action: { kind, target } })),
      ];
    }
    if (keyword !== "block" && keyword !== "shortcut") return [];
    const places = placesOf(editor, declaration);
    if (places.length === 0) return [];
    const wanted = chosen.get(choiceKey(path, name.text));
    const shown = wanted !== undefined && places.includes(wanted) ? wanted : places[0]!;
    const title = `shown as in ${shown}${places.length > 1 ? ` (${places.length} uses)` : ""}`;
    return [{ span, title, action: { kind: "choose", declaration: name.text, places } }];
  });
}

const costs = new WeakMap<Model, Cost>();

/** Found once: a lens is asked for at every keystroke. */
function costOf(model: Model): Cost {
  const known = costs.get(model) ?? costOfLayers(model.graph.nodes, model.graph.parameters);
  costs.set(model, known);
  return known;
}

/** Where a block stands, in the networks of the open files. */
function placesOf(editor: Editor, { body }: Declaration): string[] {
  const first = body?.statements.find(({ kind }) => kind === "use");
  if (!first) return [];
  return [...new Set(instancesOf(editor, first.span).map(placeOf))].slice(0, MOST_PLACES);
}
