import { Option } from "commander";

export function deviceOption(): Option {
  return new Option("--device <device>", "what it runs on; auto takes a GPU if there is one that works")
    .choices(["auto", "cpu", "webgpu", "cuda"])
    .default("auto");
}
