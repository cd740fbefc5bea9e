/** What hangs in the dictionaries and lists of a pickle, with the keys that lead to it. */
import { entriesOf, sequenceItems, type PickleValue } from "./values.js";

export interface Leaf {
  /** Of the dictionaries and lists around it, outermost first. */
  readonly keys: readonly string[];
  readonly value: PickleValue;
}

/** Checkpoints have four or five levels: `optimizer`, `state`, a number, `exp_avg`. */
const DEEPEST = 10;
/** A dictionary may hold another many times, so that a small file describes a huge tree: so much is looked at. */
const MOST_COST = 4_000_000;
const OBJECT_COST = 20;

/**
 * Every object in the tree, in file order, that is neither dictionary nor list; numbers and texts are passed over. Ends
 * early in trees that no checkpoint has.
 */
export function* leavesOf(root: PickleValue): Generator<Leaf> {
  if (childrenOf(root) === undefined) yield { keys: [], value: root };
  const open: { readonly keys: readonly string[]; readonly children: Iterator<readonly [string, PickleValue]> }[] = [];
  const enter = (keys: readonly string[], value: PickleValue): boolean => {
    if (keys.length === DEEPEST) return true;
    const children = childrenOf(value);
    if (children) open.push({ keys, children: children[Symbol.iterator]() });
    return children !== undefined;
  };
  enter([], root);
  for (let left = MOST_COST; open.length > 0 && left > 0; left--) {
    const { keys, children } = open.at(-1)!;
    const next = children.next();
    if (next.done) {
      open.pop();
      continue;
    }
    const [key, value] = next.value;
    if (typeof value !== "object" || value === null) continue;
    left -= OBJECT_COST;
    const place = [...keys, key];
    if (!enter(place, value)) yield { keys: place, value };
  }
}

/** By key; undefined where the value holds no others. Of a key that is there twice the last counts, as in Python. */
function childrenOf(value: PickleValue): Iterable<readonly [string, PickleValue]> | undefined {
  const items = sequenceItems(value);
  if (items !== undefined) return items.map((item, index) => [String(index), item]);
  const entries = entriesOf(value);
  if (entries === undefined) return undefined;
  return new Map(
    entries.flatMap(([key, child]) =>
      typeof key === "string" || typeof key === "number" ? [[String(key), child] as const] : [],
    ),
  );
}
