/** A grid of values from each region, of one map or of the one map of a pyramid that fits its size. */
import type { Attributes, Value } from "../ir/types.js";
import { first, type Build } from "./build.js";

export interface PooledMap {
  /** [N, C, h, w] */
  readonly map: Value;
  /** How much smaller it is than the input. */
  readonly scale: readonly [number, number];
}

/**
 * [R, C, ph, pw].
 *
 * @param op `roi_pool` or `roi_align`
 * @param rule attributes of `assign_level`, where there are several maps
 */
export function pool(
  op: string,
  maps: readonly PooledMap[],
  regions: Value,
  attributes: Attributes,
  rule: Attributes,
  build: Build,
): Value {
  const one = first(build);
  const from = ({ map, scale }: PooledMap, of: Value): Value =>
    one(op, [map, of], { ...attributes, scale: [1 / scale[0], 1 / scale[1]] });
  const [only, ...others] = maps;
  if (only && others.length === 0) return from(only, regions);
  const levels = one("assign_level", [regions], rule);
  const parts = maps.map((map, level) => {
    const [own, rows] = build("regions_of_level", [regions, levels], { level });
    return { values: from(map, own!), rows: rows! };
  });
  return one("merge_levels", [...parts.map((part) => part.values), ...parts.map((part) => part.rows), regions]);
}
