import { turn } from '../base/time/clock.ts'

/** Bytes processed before the loop gets its turn: about half a millisecond of hashing or encryption. */
const SLICE = 256 * 1024

/** Calls `work` for each slice of `bytes` in order, and lets the loop run between slices. */
export async function inSlices(bytes: Uint8Array, work: (slice: Uint8Array) => void): Promise<void> {
  for (let at = 0; at < bytes.length; at += SLICE) {
    if (at > 0) await turn()
    work(bytes.subarray(at, at + SLICE))
  }
}

/**
 * Maps slices of `bytes` in order, and lets the loop run between them. Returns the results in one buffer, with `head`
 * before them and `tail()` after them.
 */
export async function mapSlices(
  bytes: Uint8Array,
  head: Uint8Array,
  work: (slice: Uint8Array) => Uint8Array,
  tail: () => readonly Uint8Array[],
): Promise<Buffer> {
  const parts = [head]
  await inSlices(bytes, (slice) => parts.push(work(slice)))
  parts.push(...tail())
  return Buffer.concat(parts)
}
