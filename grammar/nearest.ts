/** Longer words are compared with nothing: whoever wrote them did not misspell a name. */
const LONGEST_WORD = 40;
/** Candidates that are looked at. */
const MOST_CANDIDATES = 5000;

/**
 * The candidate nearest to a misspelt word, if one is near enough to be meant. Quick whatever it is given: of very many
 * candidates the first are looked at, and a long word has no near ones.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // Of single letters each is as near as another.
  if (word.length > LONGEST_WORD || word.length < 2) return undefined;
  const limit = Math.max(1, Math.floor(word.length / 3));
  const lowerCase = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = limit + 1;
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked > MOST_CANDIDATES) break;
    if (candidate === word || Math.abs(candidate.length - word.length) > limit) continue;
    if (candidate.toLowerCase() === lowerCase) return candidate;
    const distance = editDistance(word, candidate, bestDistance - 1);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Rows of the table of distances, used again and again. */
let [beforePrevious, previous, row] = [0, 1, 2].map(() => new Uint8Array(2 * LONGEST_WORD + 1)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** Insertions, deletions, substitutions and swaps of neighbours each cost 1; what is beyond `most` may be too little, but beyond. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  for (let j = 0; j <= b.length; j++) previous[j] = j;
  for (let i = 1; i <= a.length; i++) {
    // Further from the diagonal it costs more than is allowed.
    const [from, to] = [Math.max(1, i - most), Math.min(b.length, i + most)];
    row[from - 1] = from === 1 ? i : most + 1;
    if (to < b.length) row[to + 1] = most + 1;
    let least = row[from - 1]!;
    const letter = a.charCodeAt(i - 1);
    for (let j = from; j <= to; j++) {
      const other = b.charCodeAt(j - 1);
      let cost = Math.min(previous[j - 1]! + (letter === other ? 0 : 1), previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === other) {
        cost = Math.min(cost, beforePrevious[j - 2]! + 1);
      }
      row[j] = cost;
      if (cost < least) least = cost;
    }
    // A swap reaches back two rows; a limit of none has no swaps.
    if (least > most + 1) return most + 1;
    [beforePrevious, previous, row] = [previous, row, beforePrevious];
  }
  return previous[b.length]!;
}
