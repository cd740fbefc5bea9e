/** A file of what a classifier said of each image: CSV for spreadsheets, JSON lines for programs. */
import path from "node:path";
import { PassThrough } from "node:stream";
import type { Predicted } from "./evaluate.js";
import { FileError, writeWhole } from "../files.js";

/** A file of predictions, begun. */
export interface PredictionsFile {
  /** Writes a line. Images are written in the order in which they come. */
  readonly add: (predicted: Predicted) => void;
  /** Ends the file, which gets its name only then. @throws {FileError} */
  readonly finish: () => Promise<void>;
  /** Leaves nothing behind. */
  readonly discard: () => Promise<void>;
}

interface Format {
  readonly head: (top: number) => string;
  readonly line: (predicted: Predicted, top: number) => string;
}

const CSV: Format = {
  head: (top) => {
    const places = Array.from({ length: top }, (_, i) => [`predicted${i + 1}`, `probability${i + 1}`]).flat();
    return csv(["file", "label", ...places, "error"]);
  },
  line: (predicted, top) => {
    const { file, ...rest } = predicted;
    const predictions = "predictions" in rest ? rest.predictions : [];
    const places = Array.from({ length: top }, (_, i) => predictions[i]).flatMap((each) =>
      each === undefined ? ["", ""] : [each.label, String(each.probability)],
    );
    return csv([
      file,
      "label" in rest ? rest.label : rest.labels.join("|"),
      ...places,
      "error" in rest ? rest.error : "",
    ]);
  },
};

const JSON_LINES: Format = {
  head: () => "",
  line: ({ file, ...rest }) => {
    const known = "label" in rest ? { label: rest.label } : { labels: rest.labels };
    if ("error" in rest) return `${JSON.stringify({ file, ...known, error: rest.error })}\n`;
    const predictions = rest.predictions.map(({ label, probability }) => ({ label, probability }));
    return `${JSON.stringify({ file, ...known, predictions })}\n`;
  },
};

const FORMATS: ReadonlyMap<string, Format> = new Map([
  [".csv", CSV],
  [".jsonl", JSON_LINES],
  [".ndjson", JSON_LINES],
]);

/** Endings of the files that can be written. */
export const PREDICTION_FILES: readonly string[] = [...FORMATS.keys()];

/**
 * Begins a file of predictions, in the format that its ending says. It is written whole or not at all.
 *
 * @param top predictions of each image, likeliest first
 * @throws {FileError} for another ending
 */
export function openPredictions(file: string, top: number): PredictionsFile {
  const format = FORMATS.get(path.extname(file).toLowerCase());
  if (format === undefined) throw new FileError(`${file}: predictions are written to ${PREDICTION_FILES.join(", ")}`);
  const lines = new PassThrough();
  // What fails is told by the writing, which may not have begun to read.
  lines.on("error", () => undefined);
  let failure: unknown;
  const written = writeWhole(file, lines, { followLinks: true }).catch((error: unknown) => {
    failure = error;
  });
  lines.write(format.head(top));
  return {
    add(predicted) {
      // A disk that is full is told now, not after the last image.
      if (failure !== undefined) throw failure as Error;
      lines.write(format.line(predicted, top));
    },
    async finish() {
      lines.end();
      await written;
      if (failure !== undefined) throw failure as Error;
    },
    async discard() {
      lines.destroy(new Error("discarded"));
      await written;
    },
  };
}

/** A line by RFC 4180. */
function csv(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`;
}
