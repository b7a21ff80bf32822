import { isIPv4, isIPv6 } from 'node:net'
import type { Answer } from 'dns-packet'
import { type NodeRecord, servicesOf } from '../record.ts'
import type { Service } from '../registry.ts'
import { SCHEME_KEY } from './instance.ts'
import type { Remote } from './medium.ts'
import type { DomainNames } from './names.ts'
import type { Packet } from './read-packet.ts'
import { decodeTxt, type TxtPayload } from './txt.ts'

/** Most nodes of one service, since anybody in the network can announce some. */
const MAX_NODES = 1_000
/** Longest time that a record is believed without hearing of it again, in seconds. */
const MAX_TTL = 4_500

/** Where a node is, and since when that is known. */
interface Place {
  readonly ip: string
  /** Whether the node has no address of its own, so that it is the sender's. */
  readonly isSenders: boolean
  /** By the clock. */
  readonly until: number
}

interface Found {
  /** Text of the TXT record, which tells whether anything has changed. */
  readonly hex: string
  readonly payload: TxtPayload
  readonly port: number
  readonly place: Place
  /** By the clock. */
  readonly expires: number
  readonly ttl: number
}

/** Nodes of one service, out of packets of the network. */
export class FoundNodes {
  readonly #service: string
  readonly #serviceName: string
  readonly #suffix: string
  readonly #mayDecode: () => boolean
  readonly #nodes = new Map<string, Found>()

  /** @param mayDecode whether there is time left to unpack one more payload */
  constructor(service: string, names: DomainNames, mayDecode: () => boolean) {
    this.#service = service
    this.#serviceName = names.service(service)
    this.#suffix = `.${this.#serviceName}`
    this.#mayDecode = mayDecode
  }

  /** Shortest time to live, and the next time at which a node expires; Infinity when there is none. */
  get times(): { ttl: number; expires: number } {
    let ttl = Number.POSITIVE_INFINITY
    let expires = Number.POSITIVE_INFINITY
    for (const node of this.#nodes.values()) {
      ttl = Math.min(ttl, node.ttl)
      expires = Math.min(expires, node.expires)
    }
    return { ttl, expires }
  }

  services(): readonly Service[] {
    return servicesOf(
      this.#service,
      [...this.#nodes].map(([id, found]) => recordOf(id, found)),
    )
  }

  /** Removes what has expired. Returns whether anything had. */
  expire(now: number): boolean {
    let changed = false
    for (const [id, { expires }] of this.#nodes) if (expires <= now) changed = this.#nodes.delete(id)
    return changed
  }

  /** Lets all nodes live longer, by a time in which nothing could be heard. */
  postpone(ms: number): void {
    for (const [id, node] of this.#nodes) this.#nodes.set(id, { ...node, expires: node.expires + ms })
  }

  /** Reads a packet. Returns whether a node is new, different or gone. */
  read({ records }: Packet, from: Remote, now: number): boolean {
    let changed = false
    // Go takes the time to live of a datagram, which has one node, from its last record.
    const isOne = records.filter(({ type }) => type === 'SRV').length === 1
    const isGoodbye = isOne && ttlOf(records[records.length - 1]) === 0
    for (const record of records) {
      if (record.type === 'PTR' && record.name === this.#serviceName && record.ttl === 0) {
        changed = this.#remove(record.data) || changed
      }
      if (record.type !== 'SRV' || !record.name.endsWith(this.#suffix)) continue
      const txt = records.find((each) => each.type === 'TXT' && each.name === record.name)
      if (isGoodbye || record.ttl === 0 || (txt !== undefined && ttlOf(txt) === 0)) changed = this.#remove(record.name) || changed
      else if (txt?.type === 'TXT') changed = this.#put(record, txt.data, records, from, now) || changed
    }
    return changed
  }

  #remove(instance: string): boolean {
    return instance.endsWith(this.#suffix) && this.#nodes.delete(instance.slice(0, -this.#suffix.length))
  }

  #put(srv: Answer & { type: 'SRV' }, strings: unknown, records: readonly Answer[], from: Remote, now: number): boolean {
    const id = srv.name.slice(0, -this.#suffix.length)
    const { port, target } = srv.data
    const ip = addressOf(records, target)
    const hex = [strings].flat().join('')
    if (ip === undefined || port === 0 || id === '') return false
    const before = this.#nodes.get(id)
    const payload = before?.hex === hex ? before.payload : this.#decode(hex, before === undefined)
    if (payload === undefined) return false
    const ttl = Math.min(ttlOf(srv), MAX_TTL) * 1_000
    const expires = now + ttl
    const place = placeOf(ip, from, before?.place, now, expires)
    this.#nodes.set(id, { hex, payload, port, place, expires, ttl })
    return before === undefined || before.payload !== payload || before.port !== port || before.place.ip !== place.ip
  }

  #decode(hex: string, isNew: boolean): TxtPayload | undefined {
    if ((isNew && this.#nodes.size >= MAX_NODES) || !this.#mayDecode()) return undefined
    const payload = decodeTxt(hex)
    return payload?.service === this.#service ? payload : undefined
  }
}

/**
 * The address of a host in this datagram, of IPv4 if there is one. Not of others: the list entry of Go has another
 * address for the same host.
 */
function addressOf(records: readonly Answer[], host: string): string | undefined {
  let found: string | undefined
  for (const record of records) {
    if (record.type === 'A' && record.name === host) return record.data
    if (record.type === 'AAAA' && record.name === host) found ??= record.data
  }
  return found
}

/**
 * A node that listens on all addresses is where its packets come from. They come from several, in any order, so the
 * best one is kept as long as it is heard of.
 */
function placeOf(ip: string, from: Remote, before: Place | undefined, now: number, until: number): Place {
  if (!isUnspecified(ip)) return { ip, isSenders: false, until }
  const place = { ip: from.address, isSenders: true, until }
  if (before === undefined || !before.isSenders || before.ip === place.ip || before.until <= now) return place
  return rank(before.ip) >= rank(place.ip) ? before : place
}

function rank(ip: string): number {
  if (isIPv4(ip)) return ip.startsWith('127.') ? 2 : 3
  return ip.startsWith('fe80') ? 0 : 1
}

function isUnspecified(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::'
}

function recordOf(id: string, { payload, port, place }: Found): NodeRecord {
  const { [SCHEME_KEY]: scheme, ...metadata } = payload.metadata
  const address = `${isIPv6(place.ip) ? `[${place.ip}]` : place.ip}:${port}`
  return {
    version: payload.version,
    metadata: {},
    node: { id, address: scheme === undefined ? address : `${scheme}://${address}`, paths: undefined, metadata },
  }
}

function ttlOf(record: Answer): number {
  return 'ttl' in record ? (record.ttl ?? 0) : 0
}
