import { orAborted } from '../../../base/async/or-aborted.ts'
import { MAX_DURATION } from '../../../base/check-options.ts'
import { reasonOf } from '../../../base/errors/error-text.ts'
import type { Logger } from '../../../base/log.ts'
import { type Clock, type ClockTimer, realClock } from '../../../base/time/clock.ts'
import type { Client } from './client.ts'
import { GrpcCode, isCode } from './grpc-status.ts'
import { lastingRetryDelay } from './lasting-retry.ts'
import { grantLease, keepAlive, revokeLease } from './lease.ts'
import { type Lease, put, range } from './messages.ts'
import type { Counters } from './stats.ts'
import { isSameNode } from './value.ts'

/** A lease is renewed this many times in its time to live. */
const RENEWALS = 3
const SHORTEST_PERIOD_MS = 200

/** A node as it is to be in etcd. */
interface Wanted {
  readonly value: string
  /** Milliseconds. */
  readonly ttl: number
}

/**
 * One node in etcd: a key with a lease of its own, since a watcher of Go sees one change only of several that happen at
 * once. From its first write on, it is kept there until it is taken out.
 *
 * Whatever it does with etcd, it does one after the other, so that nothing comes back after it was taken out.
 */
export class Registration {
  readonly #key: Buffer
  readonly #client: Client
  readonly #counters: Counters
  readonly #log: Logger
  readonly #clock: Clock
  readonly #stop = new AbortController()
  #written: Wanted | undefined
  #lease: Lease | undefined
  #timer: ClockTimer | undefined
  /** Renewals that failed since the last that did not. */
  #failures = 0
  /** Whether the log knows that another process has the key. */
  #isTaken = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(key: string, client: Client, counters: Counters, log: Logger, clock: Clock = realClock) {
    this.#key = Buffer.from(key)
    this.#client = client
    this.#counters = counters
    this.#log = log
    this.#clock = clock
  }

  /** Whether it is in etcd as far as is known, and kept there. */
  get isKept(): boolean {
    return this.#written !== undefined
  }

  /**
   * Writes the node, or renews its lease when it is there as wanted. A process writes its nodes at least once: what is
   * there may be of an earlier process.
   * @throws EtcdError, the reason of `signal`
   */
  set(wanted: Wanted, signal: AbortSignal | undefined): Promise<void> {
    return this.#inTurn(signal, async () => {
      const written = this.#written
      if (written?.value === wanted.value && written.ttl === wanted.ttl) await this.#renew(written)
      else await this.#write(wanted, written?.ttl === wanted.ttl ? this.#lease : undefined)
      this.#schedule(this.#period)
    })
  }

  /**
   * Deletes the node, unless another process has registered it since, and its lease.
   * @throws EtcdError, the reason of `signal`; nothing keeps the node then, so it ends with its lease
   */
  async remove(signal: AbortSignal | undefined): Promise<void> {
    this.forget()
    await orAborted(
      this.#last.then(() => this.#erase()),
      signal,
    )
  }

  /** Keeps the node no longer; it ends with its lease. */
  forget(): void {
    this.#stop.abort(new Error('the node is not kept any more'))
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #erase(): Promise<void> {
    const lease = this.#lease
    this.#written = undefined
    this.#lease = undefined
    if (lease === undefined) return
    // This deletes the key, unless it was written under another lease since. A write of ours that was given up and may
    // still come fails without the lease.
    await revokeLease(this.#client, lease.id, {})
  }

  /** Milliseconds between two renewals, whatever a server says of the time to live. */
  get #period(): number {
    const ms = ((this.#lease?.ttl ?? 0) * 1000) / RENEWALS
    return Math.min(Math.max(ms, SHORTEST_PERIOD_MS), MAX_DURATION)
  }

  async #write(wanted: Wanted, lease: Lease | undefined): Promise<void> {
    const { signal } = this.#stop
    // Remembered before anything is written, so that it can be revoked, whatever happens.
    this.#lease = lease ?? (await grantLease(this.#client, wanted.ttl, { signal }))
    const request = { key: this.#key, value: Buffer.from(wanted.value), lease: this.#lease.id }
    try {
      await this.#client.call(put, request, { signal })
    } catch (error) {
      if (lease === undefined || !isCode(error, GrpcCode.NotFound)) throw error
      return this.#write(wanted, undefined)
    }
    this.#written = wanted
  }

  /** Renews the lease, and writes the node again when etcd has it no longer. */
  async #renew(written: Wanted): Promise<void> {
    const { signal } = this.#stop
    const lease = this.#lease
    const ttl = lease === undefined ? 0 : await keepAlive(this.#client, lease.id, { signal })
    if (lease !== undefined && ttl > 0) {
      this.#lease = { id: lease.id, ttl }
      const { pairs } = await this.#client.call(range, { key: this.#key }, { signal })
      // Another process that has registered this node since keeps it. Anything else in its place is of use to nobody.
      if (pairs.some((pair) => pair.lease === lease.id)) return
      if (pairs.some(({ value }) => isSameNode(value, written.value))) {
        if (!this.#isTaken) this.#log.warn('another process has registered a node of this id', { key: this.#key.toString() })
        this.#isTaken = true
        return
      }
    }
    this.#isTaken = false
    this.#counters.rewrites++
    await this.#write(written, ttl > 0 ? lease : undefined)
  }

  #schedule(ms: number): void {
    this.#clock.clearTimeout(this.#timer)
    if (this.#stop.signal.aborted) return
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), ms)
    this.#timer.unref()
  }

  #onTimer(): void {
    const renewed = this.#inTurn(undefined, async () => {
      if (this.#written !== undefined) await this.#renew(this.#written)
    })
    renewed.then(
      () => {
        if (this.#failures > 0) this.#log.warn('the node is in etcd again', { key: this.#key.toString() })
        this.#failures = 0
        this.#schedule(this.#period)
      },
      (error) => {
        if (this.#stop.signal.aborted || this.#client.isClosed) return
        if (this.#failures === 0)
          this.#log.warn('the lease of a node cannot be renewed', { key: this.#key.toString(), error: reasonOf(error) })
        this.#schedule(Math.min(lastingRetryDelay(this.#failures++, this.#clock), this.#period))
      },
    )
  }

  /** Runs `task` after those before it. When `signal` fires, it is not waited for any longer, and goes on. */
  #inTurn(signal: AbortSignal | undefined, task: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() => {
      this.#stop.signal.throwIfAborted()
      return task()
    })
    this.#last = done.catch(() => {})
    return orAborted(done, signal)
  }
}
