/** Says why a weight file does not fit a network. */
import { nearest } from "../../compiler/diagnostics/suggest.js";
import { isComplete, OWN_NAMES, type Match } from "./match.js";

/** Of each kind of problem. */
const MOST_SHOWN = 10;

/** Several lines without a newline at the end; undefined where everything fits. */
export function describeMismatch(match: Match): string | undefined {
  if (isComplete(match)) return undefined;
  const { missing, unexpected, misshaped, map } = match;
  const by = map === OWN_NAMES ? "by our own names" : `by the name map ${map.name}`;
  const suggest = (name: string) => {
    const near = nearest(name, unexpected);
    return near === undefined ? "" : ` (did you mean ${near}?)`;
  };
  return [
    `${match.source.file}: does not fit the network ${by}`,
    ...classCounts(match),
    ...section(`missing, ${count(missing, "parameter")}`, missing, ({ path, expected }) =>
      path === expected ? `${path}${suggest(expected)}` : `${path}, there ${expected}${suggest(expected)}`,
    ),
    ...section(
      `of another shape, ${count(misshaped, "parameter")}`,
      misshaped,
      ({ path, ours, tensor, theirs }) => `${path} is [${ours.join(", ")}], there ${tensor} is [${theirs.join(", ")}]`,
    ),
    ...section(`unexpected, ${count(unexpected, "tensor")}`, unexpected, (name) => name),
  ].join("\n");
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

/** The commonest mismatch by far: the same network with another number of classes. */
function classCounts({ misshaped, missing, parameters }: Match): string[] {
  const classifier = parameters.findLast((parameter) => parameter.role === "weight")?.path;
  const layer = classifier?.slice(0, classifier.lastIndexOf("."));
  const weight = misshaped.find((item) => item.path === classifier);
  if (!weight || missing.length > 0 || !misshaped.every((item) => item.path.startsWith(`${layer}.`))) return [];
  return [`  the file has ${weight.theirs[0]} classes, the network ${weight.ours[0]}`];
}
