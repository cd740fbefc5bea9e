/** What happens, as the first rank tells it: warnings of the others come to it now and then. */
import { deserialize, serialize } from "node:v8";
import type { Ranks } from "../../parallel/ranks.js";
import type { TrainEvent } from "../request.js";

export interface Reports {
  readonly emit: (event: TrainEvent) => void;
  /** The first rank tells what the others would have warned of; what was said already is not said again. */
  readonly exchange: () => Promise<void>;
}

/** @param tell told on the first rank alone, each warning and notice once */
export function openReports(ranks: Ranks, tell: (event: TrainEvent) => void): Reports {
  const said = new Set<string>();
  let waiting: string[] = [];
  const isFirst = ranks.rank === 0;
  const emit = (event: TrainEvent): void => {
    if (event.kind === "warning" || event.kind === "notice") {
      if (said.has(event.message)) return;
      said.add(event.message);
      // Notices are of what all ranks do.
      if (!isFirst && event.kind === "warning") waiting.push(event.message);
    }
    if (isFirst) tell(event);
  };
  return {
    emit,
    async exchange() {
      if (ranks.size === 1) return;
      const all = await ranks.gather(serialize(waiting));
      waiting = [];
      if (!isFirst) return;
      for (const message of all.flatMap((bytes) => deserialize(bytes) as string[])) emit({ kind: "warning", message });
    },
  };
}
