import { flag, optionNames, requireOptions, whole } from '../base/check-options.ts'
import { defaultKcp, fastKcp, type KcpSettings } from '../wire/kcp/settings.ts'

/** Options of KCP. The defaults are Go DMicro's; each side may have its own, except for the group sizes of `fec`. */
export interface KcpOptions {
  /**
   * Number of data and of parity datagrams in a group of forward error correction, at most 100 and 50, or false to send
   * without. Losses are repaired where the peer has the same numbers. Default: [10, 3].
   */
  fec?: readonly [data: number, parity: number] | false | undefined
  /** Whether timeouts may be as short as 30 ms instead of 100, and grow by half only. Default: false. */
  noDelay?: boolean | undefined
  /** Milliseconds between looks at timeouts, and the least part of one, 10 to 5000. Default: 100. */
  interval?: number | undefined
  /**
   * Number of later segments that arrive before one that is missing is sent again at once, 1 to 100; 0 means when
   * nothing else is to be sent. Default: 0.
   */
  resend?: number | undefined
  /** Whether a congestion window limits what is sent. Default: true. */
  congestion?: boolean | undefined
  /**
   * Most segments on their way, and most received ones that wait to be read, 16 to 4096. A peer never gets more than it
   * has announced. Default: 32.
   */
  window?: number | undefined
  /** Most bytes of segments in one datagram, 128 to 1472; FEC adds 8. Default: 1400. */
  mtu?: number | undefined
  /** Number of times that one segment is sent before the connection is given up, 1 to 1000. Default: 20. */
  deadLink?: number | undefined
}

/**
 * The option `kcp`: a preset, or single options. `fast`, bandwidth for latency, is `{ noDelay: true, interval: 10,
 * resend: 2, congestion: false, window: 128 }`.
 */
export type KcpChoice = 'fast' | KcpOptions

const names = optionNames<KcpOptions>({
  fec: true,
  noDelay: true,
  interval: true,
  resend: true,
  congestion: true,
  window: true,
  mtu: true,
  deadLink: true,
})

/**
 * Checks the option `kcp` and adds the defaults.
 *
 * @throws TypeError, RangeError that name the option, what was expected and what was given
 */
export function readKcpOptions(options: KcpChoice | undefined): KcpSettings {
  if (options === undefined) return defaultKcp
  if (options === 'fast') return fastKcp
  if (typeof options === 'string') throw new TypeError(`option kcp must be 'fast' or an object, got ${JSON.stringify(options)}`)
  requireOptions('option kcp', options, names, 'kcp.')
  const { fec, noDelay, interval, resend, congestion, window, mtu, deadLink } = options
  const [fecData, fecParity] = readFec(fec)
  const base = defaultKcp
  return Object.freeze({
    fecData,
    fecParity,
    noDelay: flag('kcp.noDelay', noDelay, base.noDelay),
    interval: whole('kcp.interval', interval ?? base.interval, 10, 5000),
    resend: whole('kcp.resend', resend ?? base.resend, 0, 100),
    congestion: flag('kcp.congestion', congestion, base.congestion),
    window: whole('kcp.window', window ?? base.window, 16, 4096),
    mtu: whole('kcp.mtu', mtu ?? base.mtu, 128, 1472),
    deadLink: whole('kcp.deadLink', deadLink ?? base.deadLink, 1, 1000),
  })
}

function readFec(fec: KcpOptions['fec']): [data: number, parity: number] {
  if (fec === undefined) return [defaultKcp.fecData, defaultKcp.fecParity]
  if (fec === false) return [0, 0]
  if (!Array.isArray(fec) || fec.length !== 2) throw new TypeError('option kcp.fec must be false or [data, parity]')
  return [whole('kcp.fec[0]', fec[0], 1, 100), whole('kcp.fec[1]', fec[1], 1, 50)]
}
