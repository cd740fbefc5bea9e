/** What `--data` names. */
import type { DataSet } from "../runtime/data/index.js";

export const DATA = "shapes, cifar10:FOLDER, cifar100:FOLDER, or a folder with train/CLASS and val/CLASS";

/** @throws {DataError} */
export async function loadData(data: string, options: { validation?: number | undefined } = {}): Promise<DataSet> {
  const { openCifar, openDataSet } = await import("../runtime/data/index.js");
  const how = options.validation === undefined ? {} : { validation: options.validation };
  const cifar = /^(cifar10|cifar100):(.+)$/.exec(data);
  return cifar ? openCifar(cifar[1] as "cifar10" | "cifar100", cifar[2]!, how) : openDataSet(data, how);
}
