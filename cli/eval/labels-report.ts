/** What `eval` prints of a classifier of several labels an image: how well they are told, label by label. */
import type { LabelEvaluation } from "../../runtime/classification/evaluate.js";
import { renderTable } from "../table.js";
import { count } from "../terminal.js";

/** Of more labels, those with the lowest average precision. */
const LABELS = 20;
const NAME = 28;

export function labelsReport({ mAP, f1, error, labels }: LabelEvaluation): string {
  return [
    `mAP ${percent(mAP)}, F1 at ${f1.threshold}: micro ${percent(f1.micro)}, macro ${percent(f1.macro)}`,
    `not every label right: ${percent(error)} of the images`,
    "",
    labelTable(labels),
  ].join("\n");
}

function labelTable(labels: LabelEvaluation["labels"]): string {
  const isLong = labels.length > LABELS;
  // Labels that no image has come last.
  const order = isLong ? [...labels].sort((a, b) => (a.AP ?? 2) - (b.AP ?? 2)) : labels;
  const rows = order
    .slice(0, LABELS)
    .map(({ name, images, AP, precision, recall, F1 }) => [
      name.length <= NAME ? name : `${name.slice(0, NAME - 1)}…`,
      count(images),
      ...[AP, precision, recall, F1].map((share) => (share === null ? "-" : percent(share))),
    ]);
  const table = renderTable(
    [["label", "images", "AP", "precision", "recall", "F1"], "rule", ...rows],
    ["left", ...rows[0]!.slice(1).map(() => "right" as const)],
  );
  return isLong ? `${table}\n${count(labels.length - LABELS)} more labels are better; --json has all` : table;
}

function percent(share: number): string {
  if (Number.isNaN(share)) return "-";
  return `${(100 * share).toFixed(2)} %`;
}
