/**
 * A percentile of durations that were counted in buckets, by interpolation within its bucket.
 *
 * @param bounds of the buckets, rising; the last bucket has none
 * @param share from 0 to 1
 * @returns NaN for none
 */
export function percentile(counts: ArrayLike<number>, bounds: ArrayLike<number>, share: number): number {
  let total = 0
  for (let i = 0; i < counts.length; i++) total += counts[i]
  if (total === 0) return Number.NaN
  const wanted = total * share
  let sum = 0
  for (let i = 0; i < bounds.length; i++) {
    const below = i === 0 ? 0 : bounds[i - 1]
    if (sum + counts[i] >= wanted && counts[i] > 0) return below + ((wanted - sum) / counts[i]) * (bounds[i] - below)
    sum += counts[i]
  }
  return bounds[bounds.length - 1]
}
