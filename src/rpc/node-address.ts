import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import { type Address, formatAddress, parseAddress, requirePort } from '../transports/address.ts'

type Interfaces = () => NodeJS.Dict<NetworkInterfaceInfo[]>

/** Interfaces of containers on this host: their addresses are reached from this host alone. */
const INNER = /^(docker|br-|veth|virbr|cni|flannel|lxc)/

/**
 * The url of a listener as peers can dial it: an unspecified host (`0.0.0.0`, `::`), which reaches only the host of
 * whoever dials it, is replaced by an address of this host, and the path of a Unix socket is made absolute.
 */
export function reachableUrl(url: string, interfaces: Interfaces = networkInterfaces): string {
  const address = parseAddress(url)
  if (address.kind === 'unix') return formatAddress({ ...address, path: resolve(address.path) })
  return isUnspecified(address.host) ? formatAddress({ ...address, host: hostOf(address.host, interfaces()) }) : url
}

/**
 * The address of a listener in a registry: `host:port` or the path of a Unix socket, as Go's clients dial them, and the
 * url itself where it says more, as `tls://host:port`.
 */
export function addressOfUrl(url: string): string {
  return /^(tcp|unix):\/\//.test(url) ? url.slice(url.indexOf('://') + 3) : url
}

/**
 * The url to dial for the address of a node.
 *
 * @param secure whether nodes are dialled by TLS: an address without a scheme means it, as with Go's servers, which do
 *   not say so, and one of a plain connection is refused, so that who writes to the registry cannot take TLS away
 * @throws TypeError for an address that cannot be dialled
 */
export function urlOfAddress(address: string, secure: boolean): string {
  if (address.includes('/') && !address.includes('://')) return `unix://${address}`
  const url = address.includes('://') ? address : `${secure ? 'tls' : 'tcp'}://${address}`
  const parsed: Address = parseAddress(url)
  requirePort(parsed)
  if (secure && parsed.kind === 'tcp' && (parsed.scheme === undefined || parsed.scheme === 'ws'))
    throw new TypeError(`${url} is a connection without TLS, and option dial.tls is given`)
  // Go's servers on all interfaces register `[::]:port`, which a Go client can dial on its own host only.
  if (parsed.kind === 'tcp' && isUnspecified(parsed.host))
    return formatAddress({ ...parsed, host: parsed.host.includes(':') ? '::1' : '127.0.0.1' })
  return url
}

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host)
}

/**
 * The first address of this host that others may reach; loopback where there is none. A host bound to `::` takes IPv4
 * too.
 */
function hostOf(host: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const v6 = host.includes(':')
  const all = Object.entries(interfaces)
    .filter(([name]) => !INNER.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/i.test(address))
  const found = all.find(({ family }) => family === 'IPv4') ?? (v6 ? all.find(({ family }) => family === 'IPv6') : undefined)
  return found?.address ?? (v6 ? '::1' : '127.0.0.1')
}
