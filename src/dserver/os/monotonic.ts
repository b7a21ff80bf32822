/** Microseconds by the clock CLOCK_MONOTONIC, which the service manager compares with its own. */
export function monotonicMicroseconds(): bigint {
  return process.hrtime.bigint() / 1000n
}
