/**
 * Writes an int32 in decimal into `target` at `start`. Requires room for eleven bytes.
 * @returns where it ends
 */
export function writeInteger(target: Buffer, value: number, start: number): number {
  let at = start
  let rest = value
  if (rest < 0) {
    target[at++] = 0x2d
    rest = -rest // of -2^31 it is 2^31, which the divisions below hold
  }
  const after = at + digitsOf(rest)
  at = after
  do {
    const tens = Math.floor(rest / 10)
    target[--at] = 0x30 + (rest - tens * 10)
    rest = tens
  } while (rest > 0)
  return after
}

/** Number of decimal digits of an integer from 0 to 2^31. */
export function digitsOf(value: number): number {
  if (value < 100_000) return value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5
  return value < 1_000_000 ? 6 : value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : value < 1_000_000_000 ? 9 : 10
}
