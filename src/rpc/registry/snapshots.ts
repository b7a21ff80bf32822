import { type Abortable, forgetAbort, whenAborted } from '../../base/async/when-aborted.ts'
import type { Service } from './registry.ts'

/** Where the readers of a watch get their services from. */
export interface SnapshotSource {
  /** Called with a reader's first `next`. */
  onReader(reader: SnapshotReader): void
  /** Called once when the reader reads no more, whatever ended it. Only after `onReader`. */
  onReaderGone(reader: SnapshotReader): void
}

/**
 * One reader of a watch: gets the latest services, and misses those in between that it was too slow for. Nothing runs
 * for it before its first `next`, so a watch that is never read costs nothing.
 */
export class SnapshotReader implements AsyncIterableIterator<readonly Service[]>, Abortable {
  readonly #source: SnapshotSource
  readonly #signal: AbortSignal | undefined
  #started = false
  #ended = false
  #latest: readonly Service[] | undefined
  #error: { readonly reason: unknown } | undefined
  #waiting: { resolve: (result: IteratorResult<readonly Service[]>) => void; reject: (reason: unknown) => void }[] = []

  constructor(source: SnapshotSource, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Puts in what the services are now. */
  set(services: readonly Service[]): void {
    if (this.#ended) return
    const first = this.#waiting.shift()
    if (first === undefined) this.#latest = services
    else first.resolve({ done: false, value: services })
  }

  /** Ends the watch by an error, after what the reader has not read yet. */
  fail(reason: unknown): void {
    if (this.#ended) return
    const [first, ...others] = this.#waiting
    this.#waiting = []
    if (first === undefined) this.#error = { reason }
    first?.reject(reason)
    for (const { resolve } of others) resolve({ done: true, value: undefined })
    this.#end()
  }

  next(): Promise<IteratorResult<readonly Service[]>> {
    if (!this.#started && !this.#ended) this.#start()
    const value = this.#latest
    if (value !== undefined) {
      this.#latest = undefined
      return Promise.resolve({ done: false, value })
    }
    const error = this.#error
    this.#error = undefined
    if (error !== undefined) return Promise.reject(error.reason)
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<readonly Service[]>> {
    this.#finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  onAbort(): void {
    this.#finish()
  }

  #start(): void {
    this.#started = true
    if (this.#signal?.aborted) {
      this.#ended = true
      return
    }
    if (this.#signal !== undefined) whenAborted(this.#signal, this)
    this.#source.onReader(this)
  }

  /** Ends the watch without an error, and drops what was not read. */
  #finish(): void {
    this.#latest = undefined
    this.#error = undefined
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
    this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#signal !== undefined) forgetAbort(this.#signal, this)
    if (this.#started) this.#source.onReaderGone(this)
  }
}

/** All readers of one name. */
export class Readers {
  readonly #readers = new Set<SnapshotReader>()

  get size(): number {
    return this.#readers.size
  }

  add(reader: SnapshotReader): void {
    this.#readers.add(reader)
  }

  delete(reader: SnapshotReader): void {
    this.#readers.delete(reader)
  }

  set(services: readonly Service[]): void {
    for (const reader of this.#readers) reader.set(services)
  }

  fail(reason: unknown): void {
    for (const reader of [...this.#readers]) reader.fail(reason)
  }
}
