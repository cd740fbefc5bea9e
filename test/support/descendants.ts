/** Processes that a process has started, as Linux tells them. */
import { readdirSync, readFileSync } from "node:fs";

export interface Descendant {
  readonly pid: number;
  readonly words: readonly string[];
}

/** Children, and theirs, that are still alive. */
export function descendants(of: number): Descendant[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const parent = parentOf(name);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(of).map((pid) => ({ pid, words: wordsOf(pid) }));
}

/** Undefined of a process that has gone meanwhile, or is a zombie. */
function parentOf(name: string): number | undefined {
  try {
    // Behind the name of the program, which may have anything in it.
    const [state, parent] = /^.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, "utf8"))!.slice(1);
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

/** Its command line; empty where it has gone. */
export function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}
