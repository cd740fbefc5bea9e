/**
 * What a pickle would have Python call. Nothing of it is ever called or looked up here; a file that asks for these is
 * told for what it is, since other programs that open it do run them.
 */
import { globalName, type PickleGlobal } from "./values.js";

const MODULES = new Set(
  "os posix nt subprocess pty sys shutil socket runpy webbrowser ctypes importlib commands code pdb asyncio http urllib requests".split(
    " ",
  ),
);
const FUNCTIONS = new Set(
  ["eval", "exec", "execfile", "compile", "open", "__import__"].flatMap((name) =>
    ["builtins", "__builtin__"].map((module) => `${module}.${name}`),
  ),
);

/** Whether a call of it has nothing to do with weights, and could do anything. */
export function isDangerous(callee: PickleGlobal): boolean {
  return MODULES.has(callee.module.split(".")[0]!) || FUNCTIONS.has(globalName(callee));
}
