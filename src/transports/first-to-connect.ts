import { textOf } from '../base/errors/error-text.ts'
import type { Clock, ClockTimer } from '../base/time/clock.ts'
import { type Address, formatAddress } from './address.ts'
import { discardConnection } from './discard-connection.ts'
import { ipVersion } from './ip.ts'
import type { TransportConnection } from './transport.ts'

/** Milliseconds without an answer after which the next address is tried (RFC 8305 §5). */
const ATTEMPT_DELAY = 250

/**
 * The addresses with families in turn, each family in its own order, the family of the first address first (RFC 8305
 * §4).
 */
export function interleave(hosts: readonly string[]): string[] {
  const [first = ''] = hosts
  const preferred = hosts.filter((host) => isIPv6(host) === isIPv6(first))
  const others = hosts.filter((host) => isIPv6(host) !== isIPv6(first))
  const result: string[] = []
  for (let i = 0; i < Math.max(preferred.length, others.length); i++) result.push(...preferred.slice(i, i + 1), ...others.slice(i, i + 1))
  return result
}

function isIPv6(host: string): boolean {
  return ipVersion(host) === 6
}

/**
 * Dials `addresses` in their order: the next one when the last has failed, or has not answered for `ATTEMPT_DELAY` (RFC
 * 8305 §5). The first connection is used, all others are closed.
 * @throws Error (rejects) with the errors of all addresses, or with the error of the only one
 * @throws Error (rejects) with the signal's reason in the text, when `signal` fires
 */
export function firstToConnect(
  addresses: readonly Address[],
  dial: (address: Address, signal: AbortSignal) => Promise<TransportConnection>,
  clock: Clock,
  signal: AbortSignal,
): Promise<TransportConnection> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    /** Errors by address, for those that were tried; '' while the address has not answered. */
    const failures: string[] = []
    const running = new Set<AbortController>()
    let timer: ClockTimer | undefined
    let over = false
    const end = (): void => {
      over = true
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      for (const attempt of running) attempt.abort(new Error('another address was faster'))
    }
    const onAbort = (): void => {
      end()
      reject(
        new Error(
          `${textOf(signal.reason)}: ${failures.map((text, n) => text || `no answer from ${formatAddress(addresses[n])}`).join('; ')}`,
        ),
      )
    }
    const next = (): void => {
      clock.clearTimeout(timer)
      const number = failures.push('') - 1
      const attempt = new AbortController()
      running.add(attempt)
      if (failures.length < addresses.length) timer = clock.setTimeout(next, ATTEMPT_DELAY)
      dial(addresses[number], attempt.signal).then(
        (connection) => {
          running.delete(attempt)
          if (over) return discardConnection(connection)
          end()
          resolve(connection)
        },
        (error: unknown) => {
          running.delete(attempt)
          if (over) return
          failures[number] = textOf(error)
          if (failures.length < addresses.length) return next()
          if (running.size > 0) return
          end()
          reject(addresses.length === 1 ? error : new Error(failures.join('; ')))
        },
      )
    }
    signal.addEventListener('abort', onAbort, { once: true })
    next()
  })
}
