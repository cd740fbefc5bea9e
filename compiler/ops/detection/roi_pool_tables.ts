import type { Lowering } from "../lowering.js";
import type { Node } from "../../ir/types.js";
import { writeCorners } from "./roi_pool_bins.js";
import { writer, type Writer } from "../write.js";

/**
 * RoI max pooling by maxima that are made once for the map: over windows of 1, 2, 4, ... rows and as many columns, from
 * every cell. A bin is covered by the four of its largest that fit, one in each corner. Windows are as large as the bins
 * of a region that is no larger than the map need them; a larger region's bins miss some of their middle.
 */
export function writeTables(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const { heights, widths, places, some } = writeCorners(w, node, 0, 1);
  const table = writeMaxima(w, heights, widths);
  const corners = places.map((place) => w.step("Gather", [table, place], "corner", { axis: 0 }));
  const largest = w.step("Max", corners, "largest");
  const filled = w.step("Where", [w.unsqueeze(some, [3], "some.channels"), largest, w.number(0)], "filled");
  w.give("Transpose", [filled], { perm: [0, 3, 1, 2] });
}

/** Maxima from every cell over windows of all these heights and widths: rows of C values. */
function writeMaxima(w: Writer, heights: readonly number[], widths: readonly number[]): string {
  const over = (x: string, height: number, width: number): string => {
    if (height === 1 && width === 1) return x;
    const [kernel, pads] = [
      [height, width],
      [0, 0, height - 1, width - 1],
    ];
    return w.step("MaxPool", [x], "maxima", { kernel_shape: kernel, pads });
  };
  const all = heights.flatMap((height) => {
    const rows = over(w.inputs[0]!, height, 1);
    return widths.map((width) => over(rows, 1, width));
  });
  const joined = all.length === 1 ? all[0]! : w.concat(all, 0, "windows");
  const last = w.step("Transpose", [joined], "channels_last", { perm: [0, 2, 3, 1] });
  return w.step("Flatten", [last], "table", { axis: 3 });
}
