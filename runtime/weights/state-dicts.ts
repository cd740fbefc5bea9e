/**
 * State dicts among a file's tensors: parts whose names are a network's names with something before them.
 *
 * Checkpoints keep weights under a key (`state_dict`, `model`), wrappers of modules put their own name before every other
 * (`module.` of DataParallel, `_orig_mod.` of torch.compile, `model.`, `backbone.`), in any order and depth. To a list of
 * names these are the same thing: a prefix. So no list of known words is needed to find weights; words only tell which
 * of several that fit equally is meant.
 */
import type { TensorInfo, TensorSource } from "./source.js";

/** Names longer than this, and dots after these, are nobody's: both bound the time for hostile files. */
const LONGEST_NAME = 1000;
const MOST_DOTS = 16;
/** Prefixes that are tried, those of the most names first. */
const MOST_TRIED = 24;

/** Names under a prefix. */
export interface Candidate {
  /** `state_dict.module.`; empty where names are the network's as they are. */
  readonly prefix: string;
  /** Tensors of the network's names that begin with it. */
  readonly count: number;
}

/** The prefixes under which a file has tensors of these names; the most names first, then in file order. */
export function candidates(source: TensorSource, expected: ReadonlySet<string>): readonly Candidate[] {
  const counts = new Map<string, number>();
  for (const name of source.tensors.keys()) {
    if (name.length > LONGEST_NAME) continue;
    let from = 0;
    for (let dots = 0; dots <= MOST_DOTS; dots++) {
      if (expected.has(name.slice(from))) {
        const prefix = name.slice(0, from);
        counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
      }
      const dot = name.indexOf(".", from);
      if (dot < 0) break;
      from = dot + 1;
    }
  }
  return [...counts]
    .map(([prefix, count]) => ({ prefix, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_TRIED);
}

/** The tensors under a prefix, without it. */
export function under(source: TensorSource, prefix: string): TensorSource {
  if (prefix === "") return source;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of source.tensors) {
    if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), info);
  }
  const unread = new Map<string, string>();
  for (const [name, what] of source.unread ?? []) {
    if (name.startsWith(prefix)) unread.set(name.slice(prefix.length), what);
  }
  return { ...source, tensors, unread, read: (name) => source.read(prefix + name), close: () => source.close() };
}

/** What optimizers keep for each parameter, by its name; never weights. */
const OPTIMIZER =
  /^(optim(izers?|izer_states?)?(_state_dict)?|opt_state|momentum(_buffer)?|exp_avg(_sq)?|max_exp_avg_sq|square_avg|velocity|first_moment|second_moment|grads?|gradients?|scaler|(lr_)?schedulers?)$/i;
/** Averages of weights, or a network that follows another. */
const AVERAGED =
  /(^|[_-])([Ee]ma|EMA|swa|avg|averaged?|shadow|teacher|target|momentum|k|key)([_-]|\d*$)|[a-z]Ema|^ema[A-Z]/;
/** Words for the weights themselves, the likeliest first; what is none of them comes after. */
const PLAIN = ["state_dict", "model_state_dict", "", "model", "module", "net", "network", "params", "weights"];

const words = (prefix: string): string[] => prefix.split(".").slice(0, -1);

/** Whether tensors under a prefix belong to the optimizer. */
export function isOptimizerState(prefix: string): boolean {
  return words(prefix).some((word) => OPTIMIZER.test(word));
}

/** Whether the weights under a prefix are averages, by its words. */
export function isAveraged(prefix: string): boolean {
  return words(prefix).some((word) => AVERAGED.test(word));
}

/** Which of two that fit equally is taken: the plain one before averages, then by the commonest words. */
export function byPreference(a: string, b: string): number {
  return Number(isAveraged(a)) - Number(isAveraged(b)) || place(a) - place(b) || a.length - b.length;
}

function place(prefix: string): number {
  const known = PLAIN.indexOf(words(prefix)[0] ?? "");
  return known < 0 ? PLAIN.length : known;
}

/** Whether a user who says `name` means the state dict under this prefix; `.` is the file's own names. */
export function isNamed(name: string, prefix: string): boolean {
  return name === "." ? prefix === "" : prefix.startsWith(`${name.replace(/\.$/, "")}.`);
}

/** As a user says it, and reads it. */
export function nameOf(prefix: string): string {
  return prefix === "" ? "." : prefix.slice(0, -1);
}

/** Whether a tensor beside those of a network is no layer's: counters (`n_averaged`), scores (`best_acc1`), queues. */
export function isBookkeeping(name: string): boolean {
  return !name.includes(".") || name.startsWith("resnetc.") || OPTIMIZER.test(name.slice(0, name.indexOf(".")));
}

/** What all names begin with, up to a dot; empty where there is nothing. */
export function commonPrefix(names: Iterable<string>): string {
  let common: string | undefined;
  for (const name of names) {
    if (common === undefined) common = name.slice(0, name.lastIndexOf(".") + 1);
    while (!name.startsWith(common)) common = common.slice(0, common.lastIndexOf(".", common.length - 2) + 1);
    if (common === "") break;
  }
  return common ?? "";
}

/**
 * The first words of names, with how many names begin with each: `optimizer (124 tensors), best_acc1`.
 *
 * @param layers those of the network: names of theirs are one group, as a state dict without any prefix
 */
export function summarizeNames(names: readonly string[], layers: ReadonlySet<string>, most = 4): string {
  const groups = new Map<string, number>();
  for (const name of names) {
    const isWeight = layers.has(name.slice(0, name.lastIndexOf(".")));
    const word = isWeight ? "the weights without a prefix" : name.split(".", 1)[0]!.slice(0, 40);
    groups.set(word, (groups.get(word) ?? 0) + 1);
  }
  const shown = [...groups].slice(0, most).map(([word, count]) => (count === 1 ? word : `${word} (${count} tensors)`));
  return shown.join(", ") + (groups.size > most ? `, and ${groups.size - most} more` : "");
}
