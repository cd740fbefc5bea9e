/** Class probabilities out of a model: which input and output to use, and what its numbers mean. */
import type { Size } from "./images/crops.js";
import type { Planes } from "./images/preprocess.js";
import { SessionError, type Session, type Values } from "./session.js";

/** The model's input: its name, and the batch, height and width where they are fixed. */
export interface ImageInput {
  readonly name: string;
  readonly batch: number | undefined;
  readonly size: Size | undefined;
}

export function imageInput(session: Session): ImageInput {
  const [input, ...more] = session.inputs;
  if (input === undefined || more.length > 0) {
    const why = more.length > 0 ? " (was it compiled without weights?)" : "";
    throw new SessionError(`${session.name}: ${session.inputs.length} inputs; a model that classifies has one${why}`);
  }
  const { name, type, shape } = input;
  const [batch, channels, height, width] = shape;
  const isImage = shape.length === 4 && (channels === 3 || typeof channels === "string");
  if (!isImage || (type !== "float32" && type !== "float16")) {
    throw new SessionError(
      `${session.name}: input ${name} is ${type}[${shape.join(", ")}], not pictures: float[N, 3, H, W]`,
    );
  }
  const fixed = typeof height === "number" && typeof width === "number";
  return { name, batch: numberOrNone(batch), size: fixed ? [height, width] : undefined };
}

export function scoreOutput(session: Session, wanted: string | undefined): Session["outputs"][number] {
  const names = session.outputs.map((output) => output.name);
  const choice =
    wanted ??
    ["probabilities", "logits"].find((name) => names.includes(name)) ??
    (names.length === 1 ? names[0] : undefined);
  const output = session.outputs.find(({ name }) => name === choice);
  if (output !== undefined) return output;
  throw new SessionError(
    wanted === undefined
      ? `${session.name}: none of its outputs (${names.join(", ")}) is called probabilities or logits; say which has the scores`
      : `${session.name}: no output is called ${wanted} (outputs: ${names.join(", ")})`,
  );
}

export function numberOrNone(dim: number | string | undefined): number | undefined {
  return typeof dim === "number" ? dim : undefined;
}

/** A session whose scores are read as class probabilities. */
export interface Scorer {
  readonly session: Session;
  readonly input: ImageInput;
  /** Name of the output. */
  readonly output: string;
}

/**
 * Mean probabilities of each picture over its crops. Crops of one size, of whichever pictures, share runs.
 *
 * @param pictures crops of each; one without any has an empty result
 * @param batch crops a run, at most; just so many where the model's batch is fixed
 */
export async function meanProbabilities(
  scorer: Scorer,
  pictures: readonly (readonly Planes[])[],
  batch: number,
): Promise<Float64Array[]> {
  const crops = pictures.flatMap((views, picture) => views.map((planes) => ({ picture, planes })));
  const bySize = new Map<string, typeof crops>();
  for (const crop of crops) {
    const size = `${crop.planes.height}x${crop.planes.width}`;
    bySize.set(size, [...(bySize.get(size) ?? []), crop]);
  }
  const means = pictures.map(() => new Float64Array(0));
  for (const same of bySize.values()) {
    for (let start = 0; start < same.length; start += batch) {
      const part = same.slice(start, start + batch);
      const rows = await run(
        scorer,
        part.map(({ planes }) => planes),
      );
      part.forEach(({ picture }, i) => {
        const share = 1 / pictures[picture]!.length;
        const mean = means[picture]!.length > 0 ? means[picture]! : new Float64Array(rows[i]!.length);
        rows[i]!.forEach((probability, k) => (mean[k]! += probability * share));
        means[picture] = mean;
      });
    }
  }
  return means;
}

/** Probabilities of each crop; the crops have one size. */
async function run({ session, input, output }: Scorer, crops: readonly Planes[]): Promise<Float64Array[]> {
  const { height, width } = crops[0]!;
  if (input.size !== undefined && (input.size[0] !== height || input.size[1] !== width)) {
    throw new SessionError(`${session.name}: its input is ${input.size.join("x")}, not ${height}x${width}`);
  }
  // A model made for batches of N is given N: the rest stays zero and what comes of it is not looked at.
  const batch = input.batch ?? crops.length;
  const data = new Float32Array(batch * 3 * height * width);
  crops.forEach((crop, i) => data.set(crop.data, i * 3 * height * width));
  const results = await session.run({ [input.name]: { data, shape: [batch, 3, height, width] } }, [output]);
  return probabilities(session.name, output, results[output]!, batch).slice(0, crops.length);
}

/**
 * Reads an output as probabilities: `probabilities` as it is, `logits` through softmax, and an output of another name
 * through softmax unless its rows are distributions already. Scores at several positions ([N, classes, h, w]) are
 * averaged over them.
 */
function probabilities(model: string, name: string, { data, shape }: Values, batch: number): Float64Array[] {
  const classes = shape[1] ?? 0;
  const positions = shape.slice(2).reduce((product, dim) => product * dim, 1);
  if (!(data instanceof Float32Array) || shape.length < 2 || shape[0] !== batch || classes * positions === 0) {
    throw new SessionError(`${model}: output ${name} of shape [${shape.join(", ")}] has no score for each class`);
  }
  const columns = Array.from({ length: batch * positions }, (_, i) => {
    const start = Math.floor(i / positions) * classes * positions + (i % positions);
    return Float64Array.from({ length: classes }, (_, k) => data[start + k * positions]!);
  });
  const done = name === "probabilities" || (name !== "logits" && columns.every(isDistribution));
  return Array.from({ length: batch }, (_, i) => {
    const rows = columns.slice(i * positions, (i + 1) * positions).map((column) => (done ? column : softmax(column)));
    return rows[0]!.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / positions);
  });
}

/** Up to what half precision leaves of a sum over a thousand classes. */
function isDistribution(values: Float64Array): boolean {
  const sum = values.reduce((total, value) => total + value, 0);
  return Math.abs(sum - 1) < 0.01 && values.every((value) => value >= 0);
}

function softmax(logits: Float64Array): Float64Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
