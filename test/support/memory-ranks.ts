/** Ranks within one process, for what needs no launcher. */
import type { Combined, Operation, Ranks } from "../../runtime/parallel/ranks.js";

const OPERATIONS: Readonly<Record<Operation, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
};

/** Each is to be given to a task of its own; they have to run at the same time. */
export function memoryRanks(size: number): readonly Ranks[] {
  let given: unknown[] = [];
  let waiting: ((all: readonly unknown[]) => void)[] = [];
  const hosts = Array.from({ length: size }, (_, rank) => `node${rank}`);
  return hosts.map((_, rank): Ranks => {
    const meet = async <T>(value: T): Promise<readonly T[]> => {
      const met = new Promise<readonly unknown[]>((resolve) => waiting.push(resolve));
      given[rank] = value;
      if (waiting.length === size) {
        const [all, resolvers] = [given, waiting];
        [given, waiting] = [[], []];
        resolvers.forEach((resolve) => resolve(all));
      }
      return (await met) as readonly T[];
    };
    return {
      ...{ rank, size, hosts, engine: "memory", traffic: { waited: 0, moved: 0, bytes: 0 } },
      async allreduce(values: Combined, operation) {
        const all = await meet(values.slice());
        values.forEach((_value, at) => {
          values[at] = all.slice(1).reduce((total, each) => OPERATIONS[operation](total, each[at]!), all[0]![at]!);
        });
      },
      exchange: async (parts) => (await meet(parts.map((part) => part.slice()))).map((each) => each[rank]!),
      gather: async (bytes) => [...(await meet(bytes.slice()))],
      broadcast: async (bytes) => (await meet(bytes ?? new Uint8Array()))[0]!,
      barrier: async () => void (await meet(true)),
      abort: () => undefined,
      finalize: async () => void (await meet(true)),
    };
  });
}
