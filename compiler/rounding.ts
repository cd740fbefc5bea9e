/** To whole numbers, halves to the even one: as Python, numpy, PyTorch and C round. 2.5 to 2, 3.5 to 4. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
