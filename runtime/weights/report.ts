/** Says why a weight file does not fit a network. */
import type { Span } from "../../grammar/ast.js";
import { nearest } from "../../compiler/diagnostics/suggest.js";
import { formatPlace } from "../../compiler/diagnostics/render.js";
import type { Model } from "../../compiler/model.js";
import { layerPath, unusedRenames } from "../../compiler/weights/rename.js";
import { isAdaptable } from "./adapt.js";
import { firstConvolutions, headLayers } from "./layers.js";
import { isComplete, OWN_NAMES, type Match, type Misshaped } from "./match.js";
import { plainName, shownShape } from "./shown.js";
import { commonPrefix } from "./state-dicts.js";

/** Of each kind of problem. */
const MOST_SHOWN = 10;
/** Names among which the nearest is looked for, and how long they may be: it takes the product of both lengths. */
const MOST_CANDIDATES = 2000;
const LONGEST_CANDIDATE = 200;

/**
 * Several lines without a newline at the end; undefined where everything fits.
 *
 * @param model for advice that depends on what the network is
 */
export function describeMismatch(match: Match, model?: Model): string | undefined {
  if (isComplete(match)) return undefined;
  const { missing, unexpected, misshaped, map, source, prefix } = match;
  const by = map === OWN_NAMES ? "by our own names" : `by the name map ${map.name}`;
  const left = [...unexpected, ...match.beside].filter((name) => name.length <= LONGEST_CANDIDATE);
  const suggest = (name: string) => {
    const unread = source.unread?.get(name);
    if (unread !== undefined) return ` (it is ${unread}, which is not read)`;
    const near = nearest(name, left.slice(0, MOST_CANDIDATES));
    return near === undefined ? "" : ` (did you mean ${plainName(near)}?)`;
  };
  const unused = missing.length > 0 ? unusedRenameLines(match, model) : [];
  return [
    `${source.file}: does not fit the network ${by}`,
    ...prefixLine(match),
    ...advice(match, model),
    ...section(`missing, ${count(missing, "parameter")}`, missing, ({ path, expected }) =>
      path === expected ? `${path}${suggest(expected)}` : `${path}, there ${plainName(expected)}${suggest(expected)}`,
    ),
    ...section(
      `of another shape, ${count(misshaped, "parameter")}`,
      misshaped,
      ({ path, ours, tensor, theirs }) =>
        `${path} is ${shownShape(ours)}, there ${plainName(prefix + tensor)} is ${shownShape(theirs)}`,
    ),
    ...section(`unexpected, ${count(unexpected, "tensor")}`, unexpected, (name) => plainName(prefix + name)),
    ...section(`not used, ${count(unused, "rename")}`, unused, (line) => line),
  ].join("\n");
}

/**
 * Renames of the map that no parameter of the network has use for, each with its place. The standard library's maps are for
 * networks that differ, so theirs are passed over.
 */
export function unusedRenameLines({ map, parameters }: Match, model: Model | undefined): string[] {
  if (map.parts) return [];
  const unused = new Map(unusedRenames(map.renames, parameters).map(({ rename, why }) => [rename, why]));
  const used = new Set(map.renames.filter((each) => !unused.has(each)).flatMap(({ statements = [] }) => statements));
  const listed = new Set<Span>();
  return map.renames.flatMap((rename) => {
    const why = unused.get(rename);
    // Of an `include` in vain it is told once; of one that is used, what is idle in the map that it includes is not.
    const [statement, inner] = rename.statements ?? [];
    if (why === undefined || statement?.file.startsWith("std/") || (inner && used.has(statement!))) return [];
    if (statement && listed.has(statement)) return [];
    if (statement) listed.add(statement);
    const place = statement && model ? `${formatPlace(statement, model.sources)}: ` : "";
    const what =
      why === "taken" ? "renames before it take all that it matches" : "is no layer or tensor of the network";
    return [place + (inner ? "nothing that it includes is in the network" : `${JSON.stringify(rename.ours)} ${what}`)];
  });
}

/** What stands before the names, whether it was taken off or not. */
function prefixLine({ prefix, source, origins }: Match): string[] {
  if (prefix !== "") return [`  the names there begin with ${plainName(prefix)}, which was taken off`];
  const common = origins.size === 0 ? commonPrefix(source.tensors.keys()) : "";
  return common === "" ? [] : [`  all names there begin with ${plainName(common)}`];
}

function section<T>(title: string, items: readonly T[], describe: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, MOST_SHOWN).map((item) => `    ${describe(item)}`);
  const rest = items.length - shown.length;
  return [`  ${title}:`, ...shown, ...(rest > 0 ? [`    and ${rest} more`] : [])];
}

function count(items: readonly unknown[], noun: string): string {
  return `${items.length} ${noun}${items.length === 1 ? "" : "s"}`;
}

/** What to do about the commonest mismatches. */
function advice(match: Match, model: Model | undefined): string[] {
  const heads = model ? headLayers(model.graph) : lastLayer(match);
  const inHead = ({ path }: { readonly path: string }): boolean => heads.some((layer) => path.startsWith(`${layer}.`));
  const classes = match.misshaped.filter((item) => inHead(item) && item.path.endsWith(".weight"));
  // Where what arrives at the last layer is of another width, the numbers of classes may be the same.
  const counted = classes.filter(({ ours, theirs }) => ours[0] !== theirs[0]);
  return [
    ...(counted.length > 0 ? [classCounts(counted, model)] : []),
    ...(classes.length > 0 && [...match.misshaped, ...match.missing].every(inHead) && match.unexpected.length === 0
      ? ["  with --new-head the last layer begins anew, and all others are taken from the file"]
      : []),
    ...channelAdvice(match.misshaped, model),
    ...cutAdvice(match),
  ];
}

/** Of a network that is not known otherwise. */
function lastLayer({ parameters }: Match): readonly string[] {
  const last = parameters.findLast((parameter) => parameter.role === "weight");
  return last ? [layerPath(last)] : [];
}

/** A detector's layer of scores has one for the background; its boxes have four numbers a class. */
function classCounts(heads: readonly Misshaped[], model: Model | undefined): string {
  const scores = heads.reduce((a, b) => ((b.ours[0] ?? 0) < (a.ours[0] ?? 0) ? b : a));
  const [theirs, ours] = [scores.theirs[0] ?? 0, scores.ours[0] ?? 0];
  if (!model?.detection) return `  the file has ${theirs} classes, the network ${ours}`;
  return `  the file has the background and ${theirs - 1} class${theirs === 2 ? "" : "es"}, the network the background and ${ours - 1}`;
}

function channelAdvice(misshaped: readonly Misshaped[], model: Model | undefined): string[] {
  const first = model ? firstConvolutions(model.graph).map(({ path }) => path) : [];
  const item = misshaped.find(({ path, ours, theirs }) => first.includes(path) && isAdaptable(ours, theirs));
  if (!item) return [];
  return [
    `  the file is for images of ${item.theirs[1]} channels, the network for ${item.ours[1]}: ` +
      `--adapt-input ${item.ours[1] === 1 ? "sums the first convolution over them" : "repeats and scales the first convolution"}`,
  ];
}

/** Everything of the network is there, and more: it was cut off before the file's last layers. */
function cutAdvice({ missing, misshaped, unexpected }: Match): string[] {
  if (missing.length + misshaped.length > 0) return [];
  const layers = [...new Set(unexpected.map((name) => name.slice(0, name.lastIndexOf(".") + 1)))];
  if (layers.length === 0 || layers.length > 4 || layers.includes("")) return [];
  const ignored = layers.map((layer) => `ignore "${plainName(layer)}*"`).join(", ");
  return [
    `  the network has no such layer${layers.length === 1 ? "" : "s"}: --lenient passes over ${layers.length === 1 ? "it" : "them"}, ` +
      `and so does ${ignored} in its weights declaration`,
  ];
}
