/** How much is decoded at the same time: files of a few kB may stand for images of hundreds of megabytes. */

/** Pixels that are in the making at once, over all threads of the process; a single image may have as many. */
const MOST_PIXELS = 100_000_000;

/** Pixels in the making; in memory that threads share. */
let count = new Int32Array(new SharedArrayBuffer(4));

/** For a thread that is started: to count together with this one. */
export function pixelCount(): Int32Array<SharedArrayBuffer> {
  return count;
}

/** What a thread was given by the one that started it. */
export function sharePixelCount(shared: Int32Array<SharedArrayBuffer>): void {
  count = shared;
}

/** How long a wait lasts at most before the count is looked at again, in milliseconds. */
const PATIENCE = 50;

/**
 * Does something that takes memory for a number of pixels, when there is room for it. An image that is larger than all
 * the room has it to itself.
 */
export async function withRoomFor<T>(pixels: number, make: () => Promise<T>): Promise<T> {
  const part = Math.min(pixels, MOST_PIXELS);
  for (let wait = 1; !taken(part); wait = Math.min(PATIENCE, wait * 2)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  try {
    return await make();
  } finally {
    Atomics.sub(count, 0, part);
  }
}

function taken(pixels: number): boolean {
  const before = Atomics.load(count, 0);
  if (before > 0 && before + pixels > MOST_PIXELS) return false;
  return Atomics.compareExchange(count, 0, before, before + pixels) === before || taken(pixels);
}
