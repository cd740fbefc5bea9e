/** Damage for texts: tokens deleted, doubled, swapped, and random bytes. The same seed gives the same damage. */

/** xorshift32: whole numbers below `limit`. */
export function generator(seed: number): (limit: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  };
}

/** Words, numbers, strings, spaces and single signs: joined they are the text. */
function tokenize(text: string): string[] {
  return text.match(/\s+|\/\/[^\n]*|"[^"\n]*"|\w+|[^]/g) ?? [];
}

type Mutation = (tokens: string[], at: number, random: (limit: number) => number) => void;

const MUTATIONS: readonly Mutation[] = [
  (tokens, at) => tokens.splice(at, 1),
  (tokens, at) => tokens.splice(at, 0, tokens[at] ?? ""),
  (tokens, at, random) => {
    const other = random(tokens.length);
    [tokens[at], tokens[other]] = [tokens[other] ?? "", tokens[at] ?? ""];
  },
  (tokens, at, random) => tokens.splice(at, 0, String.fromCharCode(random(256))),
  (tokens, at, random) =>
    tokens.splice(at, 1, Array.from({ length: 1 + random(6) }, () => String.fromCharCode(random(128))).join("")),
  // A number far from what was meant: 1e9 repetitions, a kernel of 0.
  (tokens, at, random) => {
    const number = tokens.findIndex((token, i) => i >= at && /^\d+$/.test(token));
    if (number >= 0) tokens[number] = ["0", "1", "1000000000", "0.5", "7"][random(5)] ?? "0";
  },
];

/** The text with one to four pieces of damage. */
export function mutate(text: string, seed: number): string {
  const random = generator(seed);
  const tokens = tokenize(text);
  for (let i = random(4); i >= 0; i--) {
    MUTATIONS[random(MUTATIONS.length)]?.(tokens, random(Math.max(1, tokens.length)), random);
  }
  return tokens.join("");
}
