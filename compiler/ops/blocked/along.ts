import { size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Node } from "../operator.js";

/** Whether it can be written so: as many windows as strides fit into the map. */
export function fitsAlong(node: Node): boolean {
  return ([0, 1] as const).every((axis) => {
    const [length, count] = [1, 0].map((input) => sizes(node.inputs[input]!)[2 + axis]!);
    return length === count! * size2(node.attributes, "stride")[axis];
  });
}
