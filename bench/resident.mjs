/** The memory that a process holds while it does something many times. */

/** @param times how often; the memory is looked at ten times */
export function residentMemory(times) {
  const every = Math.ceil(times / 10);
  const resident = [];
  return {
    /** Prints it after so many times, where it is time to. */
    after(done) {
      if (done % every !== 0) return;
      resident.push(process.memoryUsage.rss() / 1e6);
      console.log(`${String(done).padStart(6)} ${resident.at(-1).toFixed(1).padStart(8)}`);
    },
    /** Prints how much it grew in the second half: what is taken once is in the first. */
    tell(what) {
      console.log(`${((slope(resident.slice(-6)) / every) * 1000).toFixed(1)} kB an ${what} in the second half`);
    },
  };
}

/** Of the straight line that fits best: what it grows from one value to the next. */
function slope(values) {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [above, below] = values.reduce(
    ([a, b], value, i) => [a + (i - middle) * (value - mean), b + (i - middle) ** 2],
    [0, 0],
  );
  return above / below;
}
