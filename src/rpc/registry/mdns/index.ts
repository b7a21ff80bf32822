// The entry point `dmicro/mdns`.

import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { duration, optionNames, requireOptions, requireText, whole } from '../../../base/check-options.ts'
import { checkLogger, consoleLogger, guarded, type Logger, silentLogger } from '../../../base/log.ts'
import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Registry } from '../registry.ts'
import { MdnsRegistry } from './mdns-registry.ts'
import { isDnsName } from './names.ts'
import type { MdnsSettings } from './settings.ts'
import { UdpMedium } from './udp-medium.ts'

export type { LookupOptions, RegisterOptions, Registry, Service, ServiceNode } from '../registry.ts'

/** Options of `mdnsRegistry`. Durations are milliseconds. */
export interface MdnsRegistryOptions {
  /**
   * Domain of the services, the same on all peers.
   * @default 'dmicro', Go's
   */
  readonly domain?: string
  /**
   * Name of this host in records.
   * @default that of the system
   */
  readonly hostName?: string
  /**
   * IP that nodes get whose address has none, such as `0.0.0.0:9000`.
   * @default an address of this host, of IPv4 if there is one
   */
  readonly advertise?: string
  /**
   * UDP port of the group, the same on all peers.
   * @default 5353
   */
  readonly port?: number
  /**
   * Milliseconds that a lookup waits when nobody answers.
   * @default 1,000, Go's
   */
  readonly timeout?: number
  /**
   * Milliseconds that a lookup waits for a further node after the last one answered.
   * @default 200
   */
  readonly quiet?: number
  /**
   * Receives warnings about nodes that others will not find; false for none.
   * @default lines on stderr
   */
  readonly log?: Logger | false
  /**
   * Time for all of these.
   * @default the system's
   */
  readonly clock?: Clock
}

const known = optionNames<MdnsRegistryOptions>({
  domain: true,
  hostName: true,
  advertise: true,
  port: true,
  timeout: true,
  quiet: true,
  log: true,
  clock: true,
})

/**
 * The local network as the registry, by multicast DNS in the dialect of Go: nodes answer for themselves, so nothing
 * else has to run. An address must be `IP:port`, or a URL of one. Paths, and metadata of services, are not carried. A
 * node stays registered until it is deregistered or this process ends, whatever its time to live.
 *
 * @throws TypeError or RangeError for bad options
 */
export function mdnsRegistry(options: MdnsRegistryOptions = {}): Registry {
  const settings = readOptions(options)
  const port = whole('port', options.port ?? 5353, 1, 65_535)
  return new MdnsRegistry(settings, new UdpMedium(port, settings.clock))
}

function readOptions(options: MdnsRegistryOptions): MdnsSettings {
  requireOptions('options', options, known)
  const { domain = 'dmicro', hostName = hostname(), advertise = '', log = consoleLogger(), clock = realClock } = options
  for (const [name, text] of Object.entries({ domain, hostName, advertise })) requireText(name, text)
  if (!isDnsName(domain)) throw new TypeError(`option domain must be a DNS name, got ${JSON.stringify(domain)}`)
  if (advertise !== '' && isIP(advertise) === 0) throw new TypeError(`option advertise must be an IP, got ${JSON.stringify(advertise)}`)
  if (options.hostName !== undefined && !isDnsName(hostName))
    throw new TypeError(`option hostName must be a DNS name, got ${JSON.stringify(hostName)}`)
  const timeout = duration('timeout', options.timeout, 1_000, 1)
  return {
    domain,
    // The system may have any name, and its records need one that can be sent.
    hostName: isDnsName(hostName) ? hostName : 'dmicro-host',
    advertise,
    timeout,
    quiet: duration('quiet', options.quiet, Math.min(200, timeout), 1),
    clock,
    log: log === false ? silentLogger : guarded(checkLogger('log', log)),
  }
}
