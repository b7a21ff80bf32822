import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Address } from '../address.ts'
import type { Transport } from '../transport.ts'

/** The same address with names replaced by the addresses they have, in the system's order. */
export async function resolveAddress(address: Address, transport: Transport): Promise<Address[]> {
  if (transport.resolves === true || address.kind === 'unix' || isIP(address.host) !== 0) return [address]
  const found = await lookup(address.host, { all: true })
  return found.map(({ address: host }) => ({ kind: 'tcp', host, port: address.port }))
}
