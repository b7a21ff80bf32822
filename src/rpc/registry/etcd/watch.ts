import { type Clock, realClock } from '../../../base/time/clock.ts'
import { Pacer } from '../../../base/time/pacer.ts'
import { sleep } from '../../../base/time/sleep.ts'
import { servicesOf } from '../record.ts'
import type { Service } from '../registry.ts'
import type { Client } from './client.ts'
import type { Gate } from './gate.ts'
import { type EtcdError, isRetryable, isWatchRefused } from './grpc-status.ts'
import { lastingRetryDelay } from './lasting-retry.ts'
import type { Records } from './records.ts'
import type { Counters } from './stats.ts'
import { readAll, type Snapshot } from './store.ts'

import { MustReadAgain, type WatchPosition, watchFrom } from './watch-stream.ts'

interface WatchTarget {
  readonly name: string
  /** Bounds how many watches read everything at once: after an outage all of them may want to. */
  readonly reads: Gate
  /** Beginning of the keys of the service. */
  readonly prefix: string
  readonly records: Records
}

export interface WatchSink {
  onServices(services: readonly Service[]): void
  /** Nothing comes any more, for this reason. */
  onLost(reason: unknown): void
}

/** A watch that lasted this many milliseconds was a good one: the next failure is tried again soon. */
const GOOD_MS = 10_000

/**
 * Follows the nodes of one service: reads them, then gets the changes from the revision of that read on. When a stream
 * of changes ends, another one begins after the last change that came, with any of the servers; when those changes have
 * been compacted away, everything is read again.
 *
 * The first read must succeed. After it, outages of any length are waited out: what is known stays what is known.
 */
export class ServiceWatch {
  readonly #client: Client
  readonly #target: WatchTarget
  readonly #sink: WatchSink
  readonly #counters: Counters
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #pacer: Pacer
  #position: WatchPosition | undefined

  constructor(client: Client, target: WatchTarget, sink: WatchSink, counters: Counters, clock: Clock = realClock) {
    this.#client = client
    this.#target = target
    this.#sink = sink
    this.#counters = counters
    this.#clock = clock
    this.#pacer = new Pacer(clock, () => this.#sink.onServices(servicesOf(target.name, target.records)))
  }

  start(): void {
    this.#run().catch((reason) => {
      if (!this.#stop.signal.aborted) this.#sink.onLost(reason)
      this.stop()
    })
  }

  stop(): void {
    this.#stop.abort(new Error('the watch is over'))
    this.#pacer.stop()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    this.#take(await this.#read())
    this.#pacer.now()
    let refusals = 0
    for (let retry = 0; !signal.aborted; retry++) {
      const began = this.#clock.now()
      let reason: unknown
      try {
        if (this.#position === undefined && this.#take(await this.#read())) this.#pacer.now()
        reason = await this.#follow(this.#position as WatchPosition)
      } catch (error) {
        reason = error
      }
      if (this.#clock.now() - began >= GOOD_MS) {
        retry = 0
        refusals = 0
      }
      if (signal.aborted) return
      if (reason instanceof MustReadAgain) this.#forgetPosition()
      else if (this.#client.isClosed || (isWatchRefused(reason) ? ++refusals > MAX_REFUSALS : !isRetryable(reason))) throw reason
      await sleep(this.#clock, lastingRetryDelay(retry, this.#clock), signal).catch(() => {})
    }
  }

  #read(): Promise<Snapshot> {
    const onStale = (): void => void this.#counters.staleReads++
    const { reads, prefix } = this.#target
    return reads.run(() => readAll(this.#client, prefix, { signal: this.#stop.signal }, onStale))
  }

  #take({ header, pairs }: Snapshot): boolean {
    this.#position = { clusterId: header.clusterId, revision: header.revision }
    return this.#target.records.replace(pairs)
  }

  #forgetPosition(): void {
    this.#position = undefined
    this.#counters.resyncs++
  }

  /** Resolves to why the changes end. */
  #follow(position: WatchPosition): Promise<EtcdError> {
    const { prefix, records } = this.#target
    return watchFrom(this.#client, prefix, position, this.#stop.signal, this.#clock, (events) => {
      let changed = false
      for (const event of events) changed = records.apply(event) || changed
      if (changed) this.#pacer.soon()
    })
  }
}

/** Times in a row that a watch may be refused for its token. */
const MAX_REFUSALS = 3
