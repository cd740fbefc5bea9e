/** That all ranks have the same weights, as they must: each makes the same updates from the same sums. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { everywhere, together } from "../../parallel/agree.js";
import { ParallelError, rankName, type Ranks } from "../../parallel/ranks.js";
import type { Values } from "../engine.js";
import type { Identity } from "../identity.js";

/** @throws {ParallelError} on every rank: names two whose network, recipe or data are not the same */
export async function checkAlike(ranks: Ranks, identity: Identity): Promise<void> {
  const all = await together(ranks, () => identity);
  const other = all.findIndex((each) => !isDeepStrictEqual(each, all[0]));
  if (other < 0) return;
  const { content: _of, ...said } = all[0]!;
  const parts = { ...said, ...all[0]!.content };
  const others = { ...all[other]!, ...all[other]!.content };
  const differing = Object.keys(parts).filter(
    (part) => !isDeepStrictEqual(parts[part as keyof typeof parts], others[part as keyof typeof parts]),
  );
  throw everywhere(
    new ParallelError(
      `${rankName(ranks, 0)} and ${rankName(ranks, other)} do not train the same: what differs is ${differing.join(", ")} ` +
        "(train and validation are images and labels of the data)",
    ),
  );
}

/** @throws {ParallelError} on every rank: names two that differ, and how many tensors do */
export async function checkReplicas(ranks: Ranks, state: Values, step: number): Promise<void> {
  if (ranks.size === 1) return;
  const names = [...state.keys()];
  const own = Buffer.concat(names.map((name) => digest(state.get(name)!)));
  const all = await ranks.gather(own);
  const first = Buffer.from(all[0]!);
  const other = all.findIndex((each) => !first.equals(each));
  if (other < 0) return;
  const isSame = (_: string, at: number): boolean =>
    first.subarray(at * LENGTH, (at + 1) * LENGTH).equals(all[other]!.subarray(at * LENGTH, (at + 1) * LENGTH));
  const differing = names.filter((name, at) => !isSame(name, at));
  throw everywhere(
    new ParallelError(
      `step ${step}: ${rankName(ranks, 0)} and ${rankName(ranks, other)} have different weights (${differing.length} of ` +
        `${names.length} tensors, ${differing[0]} the first), which should be the same to the bit: memory that fails, or ` +
        "machines that round differently; no checkpoint was written of it",
    ),
  );
}

/** Bytes of a digest. */
const LENGTH = 20;

function digest(values: Float32Array): Buffer {
  return createHash("sha1")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest();
}
