import { duration, optionNames, requireOptions } from '../base/check-options.ts'

/** Options of QUIC. */
export interface QuicOptions {
  /**
   * Milliseconds without a packet of the peer after which the connection is lost: the smaller one of both sides counts.
   * Default: 30,000, as in Go.
   */
  idleTimeout?: number | undefined
  /**
   * Milliseconds of silence after which this side makes the peer answer, so that calls may take longer than
   * `idleTimeout`; a plugin `heartbeat` that sends more often makes it unnecessary. Must be less than `idleTimeout`;
   * 0 for never. Default: a third of `idleTimeout`.
   */
  keepAlive?: number | undefined
}

/** Checked options of QUIC. */
export interface QuicSettings {
  readonly idleTimeout: number
  readonly keepAlive: number
}

const IDLE_TIMEOUT_MS = 30_000
const names = optionNames<QuicOptions>({ idleTimeout: true, keepAlive: true })

/**
 * Checks the option `quic` and adds the defaults.
 *
 * @throws TypeError, RangeError that name the option, what was expected and what was given
 */
export function readQuicOptions(options: QuicOptions = {}): QuicSettings {
  requireOptions('option quic', options, names, 'quic.')
  const idleTimeout = duration('quic.idleTimeout', options.idleTimeout, IDLE_TIMEOUT_MS, 1)
  const keepAlive = duration('quic.keepAlive', options.keepAlive, Math.ceil(idleTimeout / 3), 0)
  if (keepAlive >= idleTimeout && keepAlive > 0) throw new RangeError('option quic.keepAlive must be less than quic.idleTimeout')
  return Object.freeze({ idleTimeout, keepAlive })
}

export const defaultQuic: QuicSettings = readQuicOptions()
