/** Name maps that come with a network inside another: its weights load there by the names that it has of its own. */
import type { Preprocess, WeightMap } from "../model.js";
import { samePixels } from "../preprocess.js";
import { sameValue } from "./evaluate.js";
import type { Site } from "./site.js";
import type { NetworkInside } from "./graph-builder.js";
import { finishedMap, prefixedMap, readMapDraft, type MapDraft, type Prefixes } from "./weight-map.js";
import type { DeclarationValue } from "./values.js";

/**
 * For each map that a network inside declares two: one for files of the whole, where the part's names begin with its path
 * (`backbone.` in a network that labels it `backbone`), and one for files of the part alone, with which a training begins.
 *
 * @param own the maps that the whole network declares: one that says the same is left out
 * @param preprocess its own, which weights of a part do not change
 */
export function mapsInside(
  networks: readonly NetworkInside[],
  own: readonly WeightMap[],
  preprocess: Preprocess | undefined,
  site: Site,
): readonly WeightMap[] {
  const found: { readonly map: DeclarationValue; readonly paths: Set<string> }[] = [];
  for (const { scope, maps } of networks) {
    for (const map of maps) {
      let known = found.find((each) => sameValue(each.map, map, scope.span, site));
      if (!known) found.push((known = { map, paths: new Set() }));
      known.paths.add(scope.path);
    }
  }
  const inside = found.flatMap(({ map, paths }) => {
    const draft = readMapDraft(map, site);
    if (!draft) return [];
    const under = (theirs: (path: string) => string): WeightMap => {
      const prefixes = [...paths].map((path): Prefixes => ({ ours: withDot(path), theirs: theirs(path) }));
      return insideMap(map, draft, prefixes, [...paths], preprocess, site);
    };
    const whole = under(withDot);
    return [...paths].every((path) => path === "") ? [whole] : [whole, under(() => "")];
  });
  const names = ({ format, renames }: WeightMap): string =>
    JSON.stringify([format, renames.map(({ ours, theirs }) => [ours, theirs])]);
  const known = new Set(own.map(names));
  return inside.filter((map) => !known.has(names(map)));
}

const withDot = (path: string): string => (path === "" ? "" : `${path}.`);

function insideMap(
  map: DeclarationValue,
  draft: MapDraft,
  prefixes: readonly Prefixes[],
  parts: readonly string[],
  preprocess: Preprocess | undefined,
  site: Site,
): WeightMap {
  const drafts = prefixes.map((prefix) => prefixedMap(draft, prefix, site));
  const { trainedWith, ...finished } = finishedMap(map, {
    renames: drafts.flatMap(({ renames }) => renames),
    others: drafts.flatMap(({ others }) => others),
    ignore: drafts.flatMap(({ ignore }) => ignore),
    said: draft.said,
  });
  const own = preprocess ?? trainedWith;
  const differs = preprocess && trainedWith && !samePixels(preprocess, trainedWith);
  return { ...finished, parts, ...(own && { trainedWith: own }), ...(differs && { partTrainedWith: trainedWith }) };
}
