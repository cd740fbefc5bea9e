import { number } from "../../words/schema.js";
import { int } from "../attributes.js";
import { elementwiseLoss } from "./loss.js";

/** d = x - t: d^2 / (2 beta) where |d| < beta, else |d| - beta / 2. PyTorch's SmoothL1Loss. */
export const SMOOTH_L1 = elementwiseLoss({
  name: "smooth_l1",
  doc: "The absolute difference, rounded off to a parabola below `beta`.",
  target: "What the predictions should be.",
  arguments: { beta: number("Where the parabola ends; 0: the absolute difference alone.", { min: 0, default: 1 }) },
  write(w, x, target, attributes) {
    const beta = int(attributes, "beta");
    const distance = w.step("Abs", [w.step("Sub", [x, target], "difference")], "distance");
    if (beta === 0) return distance;
    const squared = w.step("Mul", [w.step("Mul", [distance, distance], "square"), w.number(0.5 / beta)], "parabola");
    const line = w.step("Sub", [distance, w.number(beta / 2)], "line");
    return w.step("Where", [w.step("Less", [distance, w.number(beta)], "is_near"), squared, line], "each");
  },
  slope(w, x, target, attributes) {
    const beta = int(attributes, "beta");
    const difference = w.step("Sub", [x, target], "difference");
    if (beta === 0) return w.step("Sign", [difference], "slope");
    const steepness = w.step("Mul", [difference, w.number(1 / beta)], "steepness");
    return w.step("Clip", [steepness, w.number(-1), w.number(1)], "slope");
  },
});
