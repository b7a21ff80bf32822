import { isIP } from 'node:net'
import type { Service, ServiceNode } from '../registry.ts'
import { type DomainNames, isDnsName, LIST_LABEL } from './names.ts'
import type { Instance } from './packets.ts'
import { encodeTxt } from './txt.ts'

/** Key of a node's metadata under which the scheme of its address is sent, since SRV records have none. */
export const SCHEME_KEY = 'dmicro.scheme'

/** Bytes of TXT above which a node does not fit into one Ethernet frame. */
const LARGE_TXT = 1_000
/** Most bytes of TXT, so that a datagram keeps within the 9,000 bytes of mDNS. */
const MAX_TXT = 8_000

/**
 * The records of a node.
 * @param ownAddress stands for a host that means all addresses
 * @throws TypeError for what mDNS cannot carry
 */
export function instanceOf({ name, version }: Service, node: ServiceNode, names: DomainNames, ownAddress: () => string): Instance {
  requireServiceName(name, names)
  if (!isDnsName(names.instance(node.id, name))) throw new TypeError(`the id ${JSON.stringify(node.id)} cannot be part of a DNS name`)
  const { scheme, ip, port } = parse(node.address, ownAddress)
  const metadata = scheme === '' || scheme === 'tcp' ? node.metadata : { ...node.metadata, [SCHEME_KEY]: scheme }
  const txt = encodeTxt({ service: name, version, metadata })
  if (sizeOf(txt) > MAX_TXT) throw new TypeError(`the metadata of the node ${node.id} does not fit into a datagram`)
  return { service: name, id: node.id, ip, port, txt }
}

function parse(address: string, ownAddress: () => string): { scheme: string; ip: string; port: number } {
  const behindScheme = address.indexOf('://')
  const place = behindScheme < 0 ? address : address.slice(behindScheme + 3)
  const colon = place.lastIndexOf(':')
  const host = place.slice(0, colon)
  const plain = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const digits = place.slice(colon + 1)
  const port = Number(digits)
  const ip = plain === '' || plain === '0.0.0.0' || plain === '::' ? ownAddress() : plain
  if (colon < 0 || isIP(ip) === 0 || ip.includes('%') || !/^[0-9]{1,5}$/.test(digits) || port < 1 || port > 65_535)
    throw new TypeError(`mDNS carries IP:port, and no address such as ${JSON.stringify(address.slice(0, 128))}`)
  return { scheme: behindScheme < 0 ? '' : address.slice(0, behindScheme), ip, port }
}

/**
 * Checks that the name of a service can be asked for.
 * @throws TypeError
 */
export function requireServiceName(name: string, names: DomainNames): void {
  if (name === LIST_LABEL || !isDnsName(names.service(name)))
    throw new TypeError(`the name of a service must be a DNS name for mDNS, got ${JSON.stringify(name.slice(0, 128))}`)
}

/** Whether the records of a node make datagrams that are sent in pieces, of which each may be lost. */
export function isLarge({ txt }: Instance): boolean {
  return sizeOf(txt) > LARGE_TXT
}

function sizeOf(txt: readonly string[]): number {
  return txt.reduce((sum, text) => sum + text.length, 0)
}
