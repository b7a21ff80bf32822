/** Options of a `TestNetwork`. */
export interface TestNetworkOptions {
  /**
   * Seed of all random numbers; the same seed gives the same run.
   * @default 1
   */
  seed?: number | string | undefined
  /**
   * Most bytes that a connection holds in each direction, on their way or unread, before its sender has to wait.
   * @default 64 KiB
   */
  highWater?: number | undefined
  /**
   * Most lines of `trace` that are kept, the newest.
   * @default 100,000
   */
  maxTrace?: number | undefined
}

/** Options of `TestNetwork.run`. */
export interface RunOptions {
  /**
   * Virtual milliseconds after which `run` fails.
   * @default 3,600,000 (one hour)
   */
  limit?: number | undefined
}
