/** That ranks train the same, and have the same weights. */
import { describe, expect, it } from "vitest";
import { failedOn } from "../../../../runtime/parallel/agree.js";
import type { Ranks } from "../../../../runtime/parallel/ranks.js";
import type { Identity } from "../../../../runtime/training/identity.js";
import { openReports } from "../../../../runtime/training/parallel/reports.js";
import { checkAlike, checkReplicas } from "../../../../runtime/training/parallel/replicas.js";
import { batchShare } from "../../../../runtime/training/parallel/share.js";
import { memoryRanks } from "../../../support/memory-ranks.js";

/** What each rank throws, and whether all know that all throw it. */
async function thrown(check: (ranks: Ranks) => Promise<void>): Promise<unknown[]> {
  return Promise.all(
    memoryRanks(3).map(async (ranks) => {
      try {
        await check(ranks);
        return undefined;
      } catch (error) {
        return [(error as Error).message, failedOn(error)];
      }
    }),
  );
}

describe("weights", () => {
  const state = (value: number): Map<string, Float32Array> =>
    new Map([
      ["a", Float32Array.of(1, 2)],
      ["b", Float32Array.of(3, value)],
    ]);

  it("that are the same to the bit are in order", async () => {
    expect(await thrown((ranks) => checkReplicas(ranks, state(4), 7))).toEqual([undefined, undefined, undefined]);
  });

  it("that differ in one bit are told of, with two ranks that have them", async () => {
    const other = new Float32Array(new Uint32Array([new Uint32Array(Float32Array.of(4).buffer)[0]! + 1]).buffer)[0]!;
    const found = await thrown((ranks) => checkReplicas(ranks, state(ranks.rank === 2 ? other : 4), 7));
    const message = "step 7: rank 0 on node0 and rank 2 on node2 have different weights (1 of 2 tensors, b the first)";
    expect(found).toEqual(Array.from({ length: 3 }, () => [expect.stringContaining(message) as string, 0]));
  });
});

it("another seed, and other images, are told of", async () => {
  const content = { train: { size: 1, digest: "x" } };
  const identity = (rank: number): Identity =>
    ({
      target: "T",
      seed: rank === 1 ? 2 : 1,
      content: rank === 1 ? { train: { size: 1, digest: "y" } } : content,
    }) as never;
  const found = await thrown((ranks) => checkAlike(ranks, identity(ranks.rank)));
  const message = "rank 0 on node0 and rank 1 on node1 do not train the same: what differs is seed, train";
  expect(found).toEqual(Array.from({ length: 3 }, () => [expect.stringContaining(message) as string, 0]));
});

it("shares of a part are the whole part, in order", () => {
  const shares = [0, 1, 2].map((rank) => batchShare({ name: "r", batch: 32, accumulate: 2 }, { rank, size: 3 }));
  expect(shares).toEqual([
    { parts: 2, first: 0, count: 6, of: 16 },
    { parts: 2, first: 6, count: 5, of: 16 },
    { parts: 2, first: 11, count: 5, of: 16 },
  ]);
  expect(batchShare({ name: "r", batch: 32, accumulate: 2 }, { rank: 0, size: 1 })).toBeUndefined();
});

it("the first rank tells once what any rank warned of, and notices of its own alone", async () => {
  const told: string[][] = [[], [], []];
  await Promise.all(
    memoryRanks(3).map(async (ranks) => {
      const { emit, exchange } = openReports(ranks, (event) =>
        told[ranks.rank]!.push((event as { message: string }).message),
      );
      emit({ kind: "warning", message: "of all" });
      emit({ kind: "warning", message: `of ${ranks.rank}` });
      emit({ kind: "notice", message: `done by ${ranks.rank}` });
      await exchange();
      emit({ kind: "warning", message: "of all" });
      await exchange();
    }),
  );
  expect(told).toEqual([["of all", "of 0", "done by 0", "of 1", "of 2"], [], []]);
});
