import { duration, optionNames, requireOptions, requireText } from '../base/check-options.ts'
import type { Settings } from '../session/options.ts'
import { readRedial } from '../session/redial.ts'
import { type Address, requirePort } from '../transports/address.ts'
import { readSocketOptions } from '../transports/socket-options.ts'
import type { TransportKind } from '../transports/transport.ts'
import { checkDialTls, type DialOptions, readKcp, readQuic } from './connect-options.ts'

/** Options of a `MultiClient`. */
export interface MultiClientOptions {
  /**
   * Minimum number of sessions, 0 to `max`, which are kept open even without calls. Default: 0, which means that the
   * first call dials.
   */
  min?: number | undefined
  /** Maximum number of sessions, 1 to 10,000. Default: 8. */
  max?: number | undefined
  /**
   * Maximum number of open calls per session. Beyond it another session is dialled, or the call waits. Default: 64.
   */
  callsPerSession?: number | undefined
  /**
   * Maximum number of calls and pushes that wait for a session; further ones fail with 102. Default: the endpoint's
   * `limits.maxRunning`.
   */
  maxWaiting?: number | undefined
  /**
   * Milliseconds without a call after which a session beyond `min` is closed gracefully; 0 or Infinity means never.
   * Default: 60,000.
   */
  idle?: number | undefined
  /**
   * How sessions are dialled. With `redial` sessions survive the loss of their connections, and the first connection is
   * retried until `dial.timeout`; without it a lost session is replaced by another one. Default: the endpoint's
   * options.
   */
  dial?: Omit<DialOptions, 'signal'> | undefined
}

export const multiClientNames = optionNames<MultiClientOptions>({
  min: true,
  max: true,
  callsPerSession: true,
  maxWaiting: true,
  idle: true,
  dial: true,
})
const dialOptions = optionNames<Omit<DialOptions, 'signal'>>({
  protocol: true,
  redial: true,
  socket: true,
  tls: true,
  websocket: true,
  kcp: true,
  quic: true,
  timeout: true,
})

/** Checks the option `dial` at once, because a failing dial is not reported while no call waits. */
export function checkDial(dial: MultiClientOptions['dial'] = {}, settings: Settings, kind: TransportKind, address: Address): void {
  requirePort(address)
  requireOptions('option dial', dial, dialOptions, 'dial.')
  readRedial(dial.redial)
  duration('timeout', dial.timeout, settings.dialTimeout, 1)
  requireText('protocol', dial.protocol)
  readSocketOptions('socket', dial.socket, settings.socket)
  checkDialTls(dial.tls, kind, address)
  readKcp(dial.kcp, kind, address)
  readQuic(dial.quic, kind, address)
  if (dial.protocol !== undefined) settings.protocols.byName(dial.protocol, 'dial.protocol')
}
