/** Maps that have the n-th rows and columns of a larger one, put together to that. */
import { writeBlockedDilation } from "./dilate.js";
import type { Steps } from "./steps.js";

/**
 * @param parts those of rows a and columns b at [a][b], all as large; zeros where there is none
 * @param shape of the larger map: [N, C, H, W]
 */
export function interleave(
  parts: readonly (readonly (string | undefined)[])[],
  shape: readonly number[],
  block: number,
  s: Steps,
  output?: string,
): string {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const [sh, sw] = [parts.length, parts[0]!.length];
  const [rows, columns] = [(batch * channels * height) / block / sh, width / sw];
  if (parts.flat().filter((part) => part !== undefined).length === 1 && parts[0]![0] !== undefined) {
    // One of them alone: zeros after its rows and columns.
    const small = [batch, channels, height / sh, width / sw];
    return writeBlockedDilation(parts[0]![0], small, shape, [sh, sw], block, s, output);
  }
  const zeros = (): string => s.onnx("Expand", [s.number(0), s.vector([rows, columns, block])]);
  const lines = parts.map((line) => {
    const flat = line.map((part) => s.reshape(part ?? zeros(), [rows * columns, block]));
    const woven = flat.length === 1 ? flat[0]! : s.onnx("Concat", flat, { axis: 1 });
    return s.reshape(woven, [rows, width * block]);
  });
  const woven = lines.length === 1 ? lines[0]! : s.onnx("Concat", lines, { axis: 1 });
  return s.reshape(woven, shape, output);
}
