import type { LookupFunction } from 'node:net'
import { inspect } from 'node:util'
import { isThenable } from '../base/async/thenable.ts'
import { nodeDns } from '../base/builtin.ts'
import { type Address, formatAddress } from './address.ts'
import { interleave } from './first-to-connect.ts'
import { ipVersion } from './ip.ts'
import type { Transport } from './transport.ts'

/** How host names are resolved to addresses. */
export interface Resolver {
  readonly transport: Transport
  /** The user's lookup; default: the transport's, or the system's. */
  readonly lookup: LookupFunction | undefined
}

/**
 * Resolves an address: a host name is replaced by all its addresses, in the order in which they are to be tried.
 * @throws Error (rejects) the error of the lookup
 * @throws Error (rejects) the signal's reason when that fires first
 */
export async function resolveAddress(address: Address, { transport, lookup }: Resolver, signal?: AbortSignal): Promise<Address[]> {
  const own = transport.resolves === true
  if (address.kind === 'unix' || ipVersion(address.host) !== 0 || (own && lookup === undefined)) return [address]
  const found = await lookUp(address.host, lookup ?? nodeDns().lookup, signal)
  const strange = own ? undefined : found.find((host) => ipVersion(host) === 0)
  if (strange !== undefined) throw new Error(`lookup of ${address.host} gave ${JSON.stringify(strange)}, which is no IP address`)
  if (found.length === 0) throw new Error(`${formatAddress(address)} has no address`)
  return interleave([...new Set(found)]).map((host) => ({ ...address, host }))
}

function lookUp(host: string, lookup: LookupFunction, signal: AbortSignal | undefined): Promise<string[]> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const result: unknown = lookup(host, { all: true }, (error, found: unknown) => {
      signal?.removeEventListener('abort', onAbort)
      const hosts = hostsIn(found)
      if (error !== null && error !== undefined) reject(error)
      else if (hosts === undefined)
        reject(new Error(`lookup of ${host} gave no addresses, but ${inspect(found, SHOWN).slice(0, MAX_SHOWN)}`))
      else resolve(hosts)
    })
    // An async function rejects when it fails, and may never call back.
    if (isThenable(result)) result.then(undefined, reject)
  })
}

const SHOWN = { depth: 1, breakLength: Number.POSITIVE_INFINITY, customInspect: false, getters: false }
const MAX_SHOWN = 128

/**
 * The hosts in a lookup's result. Never throws.
 * @returns undefined when the result is neither an address nor a list of `{ address }`
 */
function hostsIn(found: unknown): string[] | undefined {
  if (typeof found === 'string') return [found]
  if (!Array.isArray(found)) return undefined
  try {
    const hosts = found.map((each: { address?: unknown } | null | undefined) => each?.address)
    return hosts.every((host) => typeof host === 'string') ? hosts : undefined
  } catch {
    return undefined // a user's getter that throws
  }
}
