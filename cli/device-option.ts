import { Option } from "commander";
import { DEVICES } from "../compiler/device.js";

export function deviceOption(): Option {
  return new Option("--device <device>", "what it runs on; auto takes a GPU if there is one that works")
    .choices([...DEVICES])
    .default("auto");
}
