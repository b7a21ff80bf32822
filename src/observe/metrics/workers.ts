import cluster, { type Worker } from 'node:cluster'
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'
import { realClock } from '../../base/time/clock.ts'
import type { Family } from './family.ts'
import { loopNames, processNames } from './process.ts'
import { isLasting, Snapshot, type SnapshotData } from './snapshot.ts'

/** Milliseconds that a scrape waits for the numbers of others. */
const WAIT_MS = 1000
/** Senders that have ended and are still kept one by one: a thread that was only blocked may answer again. */
const MAX_ENDED = 64
const CHANNEL = 'dmicro metrics'

/** Number of senders that this thread has made: it may have several of one service. */
let made = 0

/** A message between threads, or between the processes of a cluster. */
interface Message {
  /** `hello` begins and answers `who`; `bye` ends and brings the last numbers. */
  readonly dmicroMetrics: 'who' | 'hello' | 'bye' | 'ask' | 'answer'
  readonly service: string
  /** Name of the sender: its process, its thread, and its number there. */
  readonly from: string
  /** Number of the question. */
  readonly id?: number
  readonly data?: SnapshotData
}

/**
 * Sums the metrics of one service over threads and processes: the main thread asks the other threads of its process,
 * the primary of a cluster also its workers. What those that have ended counted stays in the sum.
 */
export class WorkerSums {
  readonly #service: string
  readonly #take: () => Promise<Snapshot>
  readonly #me = `${process.pid}/${threadId}/${made++}`
  /** Threads of this process, and workers of the cluster, that are asked; by name. */
  readonly #others = new Map<string, Worker | undefined>()
  /** The last numbers by sender, the latest at the end. */
  readonly #last = new Map<string, SnapshotData>()
  /** The sum of those that ended before the ones in `#last`. */
  readonly #ended = new Snapshot()
  /** Open questions by number. */
  readonly #open = new Map<number, (from: string) => void>()
  readonly #onPrimary = (message: unknown): void => this.#receive(message, undefined)
  readonly #onWorker = (worker: Worker, message: unknown): void => this.#receive(message, worker)
  #channel: BroadcastChannel | undefined
  #questions = 0

  /** @param take takes a snapshot of this thread */
  constructor(service: string, take: () => Promise<Snapshot>) {
    this.#service = service
    this.#take = take
  }

  /** Whether others ask this thread, so that it need not serve a page. */
  get isAsked(): boolean {
    return !isMainThread || cluster.isWorker
  }

  open(): void {
    if (this.#channel !== undefined) return
    const channel = new BroadcastChannel(CHANNEL)
    channel.onmessage = (event) => this.#receive((event as { data: unknown }).data, undefined)
    channel.unref()
    this.#channel = channel
    if (!isMainThread) {
      this.#post({ dmicroMetrics: 'hello' })
      return
    }
    this.#post({ dmicroMetrics: 'who' })
    if (cluster.isWorker) {
      process.on('message', this.#onPrimary)
      this.#toPrimary({ dmicroMetrics: 'hello' })
      return
    }
    cluster.on('message', this.#onWorker)
    for (const worker of Object.values(cluster.workers ?? {})) this.#toWorker(worker as Worker, { dmicroMetrics: 'who' })
  }

  /** Leaves the last numbers to those who ask. */
  async close(): Promise<void> {
    const channel = this.#channel
    if (channel === undefined) return
    if (this.isAsked) {
      const bye = { dmicroMetrics: 'bye', data: (await this.#snapshot()).data() } as const
      if (isMainThread) this.#toPrimary(bye)
      else this.#post(bye)
    }
    this.#channel = undefined
    channel.close()
    process.off('message', this.#onPrimary)
    cluster.off('message', this.#onWorker)
  }

  #message(message: Pick<Message, 'dmicroMetrics' | 'id' | 'data'>): Message {
    return { ...message, service: this.#service, from: this.#me }
  }

  #post(message: Pick<Message, 'dmicroMetrics' | 'id' | 'data'>): void {
    this.#channel?.postMessage(this.#message(message))
  }

  #toPrimary(message: Pick<Message, 'dmicroMetrics' | 'id' | 'data'>): void {
    // Fails when the primary has gone, which asks no more.
    if (process.connected) process.send?.(this.#message(message), undefined, undefined, () => {})
  }

  #toWorker(worker: Worker, message: Pick<Message, 'dmicroMetrics' | 'id'>): void {
    if (worker.isConnected()) worker.send(this.#message(message), undefined, () => {})
  }

  /** @param worker the worker of the cluster that sent it; undefined for threads and the primary */
  #receive(received: unknown, worker: Worker | undefined): void {
    const { dmicroMetrics, service, from, id, data } = (received ?? {}) as Partial<Message>
    if (service !== this.#service || from === undefined || from === this.#me) return
    const isOfThread = from.startsWith(`${process.pid}/`)
    if (isMainThread && (isOfThread || worker !== undefined)) {
      if (dmicroMetrics === 'hello' || dmicroMetrics === 'answer') this.#others.set(from, worker)
      if (data !== undefined) {
        this.#last.delete(from)
        this.#last.set(from, data)
      }
      if (dmicroMetrics === 'bye') {
        this.#others.delete(from)
        this.#addEnded()
      }
      if (dmicroMetrics === 'answer' || dmicroMetrics === 'bye') for (const answered of this.#open.values()) answered(from)
      return
    }
    const send = (message: Pick<Message, 'dmicroMetrics' | 'id' | 'data'>): void =>
      isMainThread ? this.#toPrimary(message) : this.#post(message)
    if (dmicroMetrics === 'who') send({ dmicroMetrics: 'hello' })
    else if (dmicroMetrics === 'ask')
      this.#snapshot().then(
        (snapshot) => {
          // After its `bye` nobody asks this thread again.
          if (this.#channel !== undefined) send({ dmicroMetrics: 'answer', id: id as number, data: snapshot.data() })
        },
        () => {}, // the one who asks goes on without it
      )
  }

  /** Adds the oldest of those that have ended to one sum, so that memory does not grow with each that ends. */
  #addEnded(): void {
    let excess = this.#last.size - this.#others.size - MAX_ENDED
    for (const [from, data] of this.#last) {
      if (excess <= 0) return
      if (this.#others.has(from)) continue
      this.#addTo(this.#ended, from, data)
      this.#last.delete(from)
      excess--
    }
  }

  #snapshot(): Promise<Snapshot> {
    return isMainThread ? this.sum() : this.#take()
  }

  /** The numbers of this thread, and of all that it asks. */
  async sum(): Promise<Snapshot> {
    for (const [from, worker] of this.#others) if (worker?.isConnected() === false) this.#others.delete(from)
    this.#addEnded()
    const [sum] = await Promise.all([this.#take(), this.#others.size === 0 ? undefined : this.#ask()])
    const threads = new Set<string>()
    for (const [from, data] of [...this.#last].reverse()) {
      const thread = from.slice(0, from.lastIndexOf('/'))
      this.#addTo(sum, from, data, threads.has(thread))
      threads.add(thread)
    }
    sum.add(this.#ended.data())
    return sum
  }

  /** @param isSecond whether another sender of its thread is in the sum, which has brought the numbers of the thread */
  #addTo(sum: Snapshot, from: string, data: SnapshotData, isSecond = false): void {
    const isOfThread = from.startsWith(`${process.pid}/`)
    const isAlive = this.#others.has(from)
    const isCounted = ({ name }: Family): boolean =>
      ((isOfThread || isSecond) && processNames.includes(name)) || (isSecond && loopNames.includes(name))
    sum.add(data, (family) => !isCounted(family) && (isAlive || isLasting(family)))
  }

  /** Asks the others, and waits for all answers or `WAIT_MS`. A thread that does not answer has ended. */
  async #ask(): Promise<void> {
    const id = ++this.#questions
    const missing = new Set(this.#others.keys())
    await new Promise<void>((resolve) => {
      const timer = realClock.setTimeout(resolve, WAIT_MS)
      this.#open.set(id, (from) => {
        missing.delete(from)
        if (missing.size > 0) return
        realClock.clearTimeout(timer)
        resolve()
      })
      const workers = [...this.#others.values()]
      if (workers.includes(undefined)) this.#post({ dmicroMetrics: 'ask', id })
      for (const worker of workers) if (worker !== undefined) this.#toWorker(worker, { dmicroMetrics: 'ask', id })
    })
    this.#open.delete(id)
    for (const from of missing) if (this.#others.get(from) === undefined) this.#others.delete(from)
  }
}
