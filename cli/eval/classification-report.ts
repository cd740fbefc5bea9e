/** What `eval` prints of a classifier: errors, the classes, and what was taken for what. */
import type { Evaluation } from "../../runtime/classification/evaluate.js";
import { renderTable } from "../table.js";
import { count } from "../terminal.js";

/** Of more classes, those with the lowest accuracy. */
const CLASSES = 20;
/** Up to so many classes the matrix is printed. */
const MATRIX = 10;
const NAME = 28;

export function classificationReport(result: Evaluation): string {
  const { error, error5, classes } = result;
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  return [
    `top-1 error ${percent(error)}, top-5 ${percent(error5)}`,
    "",
    classTable(result),
    ...(classes.length <= MATRIX ? ["", matrix(result)] : []),
  ].join("\n");
}

function classTable({ classes, confusion }: Evaluation): string {
  const shares = classes.map(({ images, correct }) => (images === 0 ? NaN : correct / images));
  const order = classes.map((_, label) => label);
  const isLong = classes.length > CLASSES;
  // Classes without images come last.
  if (isLong)
    order.sort(
      (a, b) =>
        (shares[a]! || (Number.isNaN(shares[a]!) ? 2 : 0)) - (shares[b]! || (Number.isNaN(shares[b]!) ? 2 : 0)) ||
        a - b,
    );
  const rows = order.slice(0, isLong ? CLASSES : undefined).map((label) => {
    const { name, images } = classes[label]!;
    const taken = mostTakenFor(confusion[label]!, label);
    return [
      cut(name),
      count(images),
      images === 0 ? "-" : `${(100 * shares[label]!).toFixed(1)} %`,
      taken === undefined ? "" : `${cut(classes[taken]!.name)} (${count(confusion[label]![taken]!)})`,
    ];
  });
  const table = renderTable(
    [["class", "images", "accuracy", "mostly taken for"], "rule", ...rows],
    ["left", "right", "right", "left"],
  );
  return isLong ? `${table}\n${count(classes.length - CLASSES)} more classes are better; --json has all` : table;
}

/** Another class than its own. */
function mostTakenFor(row: readonly number[], label: number): number | undefined {
  const best = row.reduce((most, images, i) => (i !== label && images > (row[most] ?? 0) ? i : most), -1);
  return best === -1 ? undefined : best;
}

function matrix({ classes, confusion }: Evaluation): string {
  const heads = classes.map(({ name }) => (name.length <= 8 ? name : `${name.slice(0, 7)}…`));
  return renderTable(
    [
      ["images of \\ taken for", ...heads],
      "rule",
      ...confusion.map((row, label) => [
        cut(classes[label]!.name),
        ...row.map((images) => (images === 0 ? "·" : count(images))),
      ]),
    ],
    ["left", ...heads.map(() => "right" as const)],
  );
}

function cut(name: string): string {
  return name.length <= NAME ? name : `${name.slice(0, NAME - 1)}…`;
}
