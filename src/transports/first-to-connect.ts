import { isIPv6 } from 'node:net'
import { textOf } from '../base/errors/error-text.ts'
import type { Clock, ClockTimer } from '../base/time/clock.ts'
import { type Address, formatAddress } from './address.ts'
import { discardConnection } from './discard-connection.ts'
import type { TransportConnection } from './transport.ts'

/** Milliseconds until the next address is tried while the last one has not answered (RFC 8305 §5). */
const ATTEMPT_DELAY = 250

/** The same addresses, of both families in turn, each family in its order; that of the first address comes first (RFC 8305 §4). */
export function interleave(hosts: readonly string[]): string[] {
  const [first = ''] = hosts
  const preferred = hosts.filter((host) => isIPv6(host) === isIPv6(first))
  const others = hosts.filter((host) => isIPv6(host) !== isIPv6(first))
  const result: string[] = []
  for (let i = 0; i < Math.max(preferred.length, others.length); i++) result.push(...preferred.slice(i, i + 1), ...others.slice(i, i + 1))
  return result
}

/**
 * Dials `addresses` in their order, the next one when the last has failed or has not answered for a while (RFC 8305 §5). The first connection is taken, all
 * others are closed.
 * @throws Error (rejects) that names all that were tried, or the only one's own; when `signal` fires, with its reason in the text
 */
export function firstToConnect(
  addresses: readonly Address[],
  dial: (address: Address, signal: AbortSignal) => Promise<TransportConnection>,
  clock: Clock,
  signal: AbortSignal,
): Promise<TransportConnection> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    /** By address, of those that were tried: '' while it has not answered. */
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
