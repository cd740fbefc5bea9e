/** Times of several sides that take turns, as they pass and as processors spend them; and what to say of them. */
import { median } from "./median.mjs";

/** The memory layouts that PyTorch is asked for, of which the faster one counts. */
export const LAYOUTS = ["contiguous", "channels_last"];

/** Milliseconds that passed, and that this process's threads spent; `made` is what came out. */
export async function timed(run) {
  const [before, used] = [performance.now(), process.cpuUsage()];
  const made = await run();
  const [passed, { user, system }] = [performance.now() - before, process.cpuUsage(used)];
  return { passed, spent: (user + system) / 1000, made };
}

/**
 * @param times of each side, by its name, as many of each, in turn
 * @param kind `passed` or `spent`
 */
export function comparison(times, kind) {
  const of = (who) => times[who].map((each) => each[kind]);
  return {
    median: (who) => median(of(who)),
    /** Images a second, of so many at a time. */
    rate: (who, images) => ((1000 * images) / median(of(who))).toFixed(1),
    fastest: (names) => names.reduce((a, b) => (median(of(a)) <= median(of(b)) ? a : b)),
    /** The time of one through that of the other, round by round: the median, and from where to where. */
    ratio(theirs, ours) {
      const ratios = of(theirs).map((their, i) => their / of(ours)[i]);
      return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    },
  };
}
