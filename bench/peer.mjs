/** PyTorch in a process of its own, as benches ask it for one step after another. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A script beside this one that answers each line, a memory layout, by the milliseconds of a step: passed and spent. */
export async function startPeer(python, name, args) {
  const script = fileURLToPath(new URL(name, import.meta.url));
  // Memory that was let go is kept for the next step instead of given back to the system: PyTorch at its best.
  const env = { ...process.env, MALLOC_TRIM_THRESHOLD_: "20000000000", MALLOC_MMAP_MAX_: "0" };
  const child = spawn(python, [script, ...args], { stdio: ["pipe", "pipe", "inherit"], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("PyTorch ended: is it installed for this Python?");
    return value;
  };
  await read();
  return {
    async step(layout) {
      child.stdin.write(`${layout}\n`);
      const [passed, spent] = (await read()).split(" ").map(Number);
      return { passed, spent };
    },
    close: () => child.stdin.end(),
  };
}
