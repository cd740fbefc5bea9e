/**
 * Paths: `conv4.22.conv2`. A layer is called by its word, numbered from 1 where its body has several of the kind; a
 * stage's blocks by their index from 0; a label, or a stage's name, stands as it is.
 */
import { isDraftScope, type DraftNode, type DraftScope } from "./draft.js";

/** `pay` is told the length of each path. */
export function assignPaths(scope: DraftScope, pay: (length: number) => void, prefix = ""): void {
  scope.path = prefix;
  const items = [...namedItems(scope, prefix)];
  const numbered = numbering(items.map(nameOf));
  let index = 0;
  for (const item of items) {
    const isIndexed = isDraftScope(item) && item.indexed && item.label === undefined;
    const own = isIndexed ? String(index++) : numbered(nameOf(item));
    const path = prefix === "" ? own : `${prefix}.${own}`;
    pay(path.length);
    if (isDraftScope(item)) {
      item.name = own;
      assignPaths(item, pay, path);
    } else nameNode(item, path);
  }
}

/** The names one after the other, each with its number, from 1, where there are several of it. */
export function numbering(names: readonly string[]): (name: string) => string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const numbers = new Map<string, number>();
  return (name) => {
    if (counts.get(name) === 1) return name;
    const number = (numbers.get(name) ?? 0) + 1;
    numbers.set(name, number);
    return `${name}${number}`;
  };
}

function nameOf(item: DraftScope | DraftNode): string {
  return item.label ?? item.base;
}

/** What is named in this scope: its children, those of scopes without a name of their own, and its shared parts. */
function* namedItems(scope: DraftScope, prefix: string): Generator<DraftScope | DraftNode> {
  yield* scope.sharedParts;
  for (const child of scope.children) {
    if (isDraftScope(child) && child.definedIn) continue;
    if (isDraftScope(child) && child.transparent && child.label === undefined) {
      child.path = prefix;
      child.name = "";
      yield* namedItems(child, prefix);
    } else yield child;
  }
}

/** The node's path, and the names of its outputs and parameters, which follow from it. */
export function nameNode(node: DraftNode, path: string): void {
  node.path = path;
  node.outputs.forEach((output, i) => {
    (output as { name: string }).name = node.outputs.length === 1 ? path : `${path}.${i}`;
  });
  for (const parameter of node.ownParameters) {
    parameter.path = `${path}.${parameter.name}`;
    parameter.value.name = parameter.path;
  }
}
