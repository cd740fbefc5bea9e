/** The weight files of test/golden/weights/ and what is in them. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export interface Expected {
  readonly format: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tensors: Readonly<
    Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly values: readonly number[] }>
  >;
}

const FOLDER = fileURLToPath(new URL("../golden/weights/", import.meta.url));

export const goldenWeights = {
  expected: JSON.parse(fs.readFileSync(path.join(FOLDER, "expected.json"), "utf8")) as Record<string, Expected>,
  path: (file: string): string => path.join(FOLDER, file),
};

/** A folder that is there while the test file runs. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "resnetc-test-"));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}
