import type { Address } from '../../transports/address.ts'

/** Stands in for `transports/address.ts`: the browser parses the URLs of WebSockets. */
export function parseAddress(url: string): Address {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw invalid(url)
  }
  const { protocol, hostname, port, pathname, search, hash, username, password } = parsed
  const secure = protocol === 'wss:'
  if ((!secure && protocol !== 'ws:') || hash !== '' || username !== '' || password !== '') throw invalid(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return { kind: 'tcp', scheme: secure ? 'wss' : 'ws', host, port: Number(port) || (secure ? 443 : 80), path: pathname + search }
}

export function authorityOf(address: Address): string {
  const { host, port, scheme } = address as Extract<Address, { kind: 'tcp' }>
  const name = host.includes(':') ? `[${host}]` : host
  return port === (scheme === 'wss' ? 443 : 80) ? name : `${name}:${port}`
}

export function webSocketPath(address: Address): string | undefined {
  return (address as Extract<Address, { kind: 'tcp' }>).path
}

export function formatAddress(): string {
  return ''
}

export function withLayers(address: Address): Address {
  return address
}

function invalid(url: unknown): TypeError {
  return new TypeError(`invalid address ${JSON.stringify(String(url).slice(0, 200))}: expected ws://host:port/path or wss://…`)
}
