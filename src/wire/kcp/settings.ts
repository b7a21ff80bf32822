/** Checked options of KCP. */
export interface KcpSettings {
  /** Data shards of a FEC group; 0 sends without FEC. */
  readonly fecData: number
  /** Parity shards of a FEC group; 0 sends without FEC. */
  readonly fecParity: number
  readonly noDelay: boolean
  /** Milliseconds between looks at timeouts, and part of them. */
  readonly interval: number
  /** Number of later segments acknowledged after which a segment is sent again; 0 for never. */
  readonly resend: number
  readonly congestion: boolean
  /** Most segments on their way, and most received and not read. */
  readonly window: number
  /** Most bytes of segments in a datagram. */
  readonly mtu: number
  /** Number of times that one segment is sent before the connection counts as dead. */
  readonly deadLink: number
}

/** Go DMicro's values, none of which it lets change. */
export const defaultKcp: KcpSettings = Object.freeze({
  fecData: 10,
  fecParity: 3,
  noDelay: false,
  interval: 100,
  resend: 0,
  congestion: true,
  window: 32,
  mtu: 1400,
  deadLink: 20,
})

/** The preset `fast`: bandwidth for latency. */
export const fastKcp: KcpSettings = Object.freeze({
  ...defaultKcp,
  noDelay: true,
  interval: 10,
  resend: 2,
  congestion: false,
  window: 128,
})
