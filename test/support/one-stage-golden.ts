/** What torchvision's one-stage detectors find, stage by stage (test/oracle/one_stage_golden.py). */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { TensorSource } from "../../runtime/weights/source.js";
import type { FasterRcnnGolden, Summary } from "./fasterrcnn-golden.js";
import { oracleSource, underOldNames } from "./oracle-weights.js";

export type OneStageGolden = Pick<
  FasterRcnnGolden,
  "input" | "epsilon" | "ranges" | "sizes" | "image" | "features" | "found" | "margins" | "float64"
> & {
  /** What each head says, of each level. */
  readonly heads: Readonly<Record<string, readonly Summary[]>>;
};

const FOLDER = fileURLToPath(new URL("../golden/one_stage/", import.meta.url));
const TENSORS = "tensors.json";

export function oneStageGoldens(detector: string): [name: string, golden: OneStageGolden][] {
  const folder = path.join(FOLDER, detector);
  const files = fs.readdirSync(folder).filter((file) => file !== TENSORS);
  return files.map((file) => [
    path.basename(file, ".json"),
    JSON.parse(fs.readFileSync(path.join(folder, file), "utf8")) as OneStageGolden,
  ]);
}

/** Names and shapes of a state_dict. */
export function oneStageTensors(detector: string): Record<string, readonly number[]> {
  const text = fs.readFileSync(path.join(FOLDER, detector, TENSORS), "utf8");
  return JSON.parse(text) as Record<string, readonly number[]>;
}

/** Names that torchvision had before 0.13, which its released weights have. */
function oldName(name: string): string {
  return name
    .replace(/((?:inner|layer)_blocks\.\d)\.0\./, "$1.")
    .replace(/(_head\.conv)\.(\d)\.0\./, (_, conv: string, index: string) => `${conv}.${2 * Number(index)}.`);
}

/** A golden's state_dict, as a file would be: by its old names where it is as the released ones. */
export function oneStageSource(
  detector: string,
  { ranges, epsilon }: Pick<OneStageGolden, "ranges" | "epsilon">,
): TensorSource {
  const source = oracleSource(`${detector}.pth`, oneStageTensors(detector), ranges);
  return epsilon > 0 ? source : underOldNames(source, oldName);
}
