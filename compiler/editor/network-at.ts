/** The network that a place in a text belongs to, for what is shown beside the text: its figure, its summary. */
import type { Span } from "../../grammar/ast.js";
import type { Model } from "../model.js";
import type { Editor, Elaborated } from "./editor.js";
import { instancesOf, type Instance } from "./facts.js";
import { choiceKey, isInside, type Chosen } from "./hints.js";
import { declarationAt, statementsAt } from "./syntax-at.js";

/** A network by the file in which it is declared and its name there. */
export interface NetworkName {
  readonly path: string;
  readonly name: string;
}

/** A network at a place. */
export interface NetworkAt extends NetworkName {
  /** Undefined where it has errors. */
  readonly model: Model | undefined;
  /** Paths of the layers that the statement at the place gives in it. */
  readonly layers: readonly string[];
}

/**
 * The network around a place; of a block one that uses it: the one that is shown in the block, or else the one that was
 * looked at before. Where there is neither, that one, or the first of the file.
 *
 * @param offset in UTF-16 code units; undefined: no place, the one that was looked at
 * @param before the one that was looked at
 */
export function networkAt(
  editor: Editor,
  path: string,
  offset: number | undefined,
  chosen: Chosen,
  before?: NetworkName,
): NetworkAt | undefined {
  const parsed = editor.parsed(path);
  if (!parsed) return undefined;
  const networks = editor.elaborated(path);
  const find = (wanted: NetworkName | undefined): Elaborated | undefined =>
    networks.find((each) => each.path === wanted?.path && each.name === wanted.name);
  const at = offset === undefined ? undefined : behindIndentation(parsed.text, offset);
  const around = at === undefined ? undefined : declarationAt(parsed.file, at)?.name.text;
  const statement = at === undefined ? undefined : statementsAt(parsed.file, at).at(-1);
  const instances = statement ? instancesOf(editor, statement.span) : [];
  const wanted = chosen.get(choiceKey(path, around ?? ""));
  const uses = (each: Instance): NetworkName => ({ path: each.file, name: each.network });
  const isBefore = (each: Instance): boolean => each.file === before?.path && each.network === before.name;
  const isShown = (each: Instance): boolean => wanted !== undefined && isInside(each, wanted);
  const used = instances.find(isShown) ?? instances.find(isBefore) ?? instances[0];
  const found =
    find(around === undefined ? undefined : { path, name: around }) ??
    find(used && uses(used)) ??
    find(before) ??
    networks.find((each) => each.path === path) ??
    networks[0];
  if (!found) return undefined;
  const layers = instances
    .filter((each) => each.file === found.path && each.network === found.name)
    .flatMap(({ trace, step: { first, end } }) => trace.nodes.slice(first, end).map((node) => node.path));
  return { path: found.path, name: found.name, model: found.model, layers: [...new Set(layers)] };
}

/** In front of a line's text that text is meant. */
function behindIndentation(text: string, offset: number): number {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*$/.test(before) ? offset + /^[ \t]*/.exec(text.slice(offset))![0].length : offset;
}

/** Where the layer of a path is written, in the text as it is now. */
export function layerPlace(editor: Editor, { path, name }: NetworkName, layer: string): Span | undefined {
  const network = editor.elaborated(path).find((each) => each.path === path && each.name === name);
  const node = network?.model?.graph.nodes.find((each) => each.path === layer);
  return node && network?.now(node.span);
}
