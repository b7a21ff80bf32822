import cluster, { type Worker } from 'node:cluster'
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'
import { realClock, turn } from '../../base/time/clock.ts'
import type { Family } from './family.ts'
import { type Part, PartSender } from './part-sender.ts'
import { loopNames, processNames } from './process.ts'
import { inSlices } from './render.ts'
import { isLasting, Snapshot, type SnapshotData } from './snapshot.ts'

/** Milliseconds that a scrape waits for others while it hears nothing. */
const WAIT_MS = 1_000
/** Senders that have ended and are still kept one by one: a thread that was only blocked may answer again. */
const MAX_ENDED = 64
const CHANNEL = 'dmicro metrics'

/** Number of senders that this thread has made: it may have several of one service. */
let made = 0

/** A message between threads, or between the processes of a cluster. */
interface Message {
  /** `hello` begins and answers `who`; `bye` ends and brings the last numbers. */
  readonly dmicroMetrics: 'who' | 'hello' | 'bye' | 'ask' | 'answer' | 'more'
  readonly service: string
  /** Name of the sender: its process, its thread, and its number there. */
  readonly from: string
  /** Number of the question. */
  readonly id?: number | undefined
  /** Numbers: all with `bye`, a part with `answer`. */
  readonly data?: SnapshotData
  /** Number of the part, from 0. */
  readonly part?: number
  /** Whether no further part follows; one does for each `more`. */
  readonly isLast?: boolean
  /** Name of who is to send `more`. */
  readonly to?: string
}

type Content = Omit<Message, 'service' | 'from'>

/** A question that is not answered by all. */
interface Question {
  /** Takes that `from` has sent all its numbers. */
  answered(from: string): void
  /** Takes that somebody is answering. */
  heard(): void
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
  readonly #open = new Map<number, Question>()
  /** Parts that have come of the answers that are not complete, by number of the question and sender. */
  readonly #arriving = new Map<string, SnapshotData[]>()
  readonly #sender = new PartSender()
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

  #message(message: Content): Message {
    return { ...message, service: this.#service, from: this.#me }
  }

  #post(message: Content): void {
    this.#channel?.postMessage(this.#message(message))
  }

  #toPrimary(message: Content): void {
    // Fails when the primary has gone, which asks no more.
    if (process.connected) process.send?.(this.#message(message), undefined, undefined, () => {})
  }

  #toWorker(worker: Worker, message: Content): void {
    if (worker.isConnected()) worker.send(this.#message(message), undefined, () => {})
  }

  /** @param worker the worker of the cluster that sent it; undefined for threads and the primary */
  #receive(received: unknown, worker: Worker | undefined): void {
    const message = (received ?? {}) as Partial<Message>
    const { service, from } = message
    if (service !== this.#service || from === undefined || from === this.#me) return
    if (isMainThread && (worker !== undefined || isOfThisProcess(from))) this.#hear(message, from, worker)
    else this.#obey(message)
  }

  /** Takes a message of one that this thread asks. */
  #hear({ dmicroMetrics, id, data, part = 0, isLast = true }: Partial<Message>, from: string, worker: Worker | undefined): void {
    if (dmicroMetrics === 'hello' || dmicroMetrics === 'answer') this.#others.set(from, worker)
    if (dmicroMetrics === 'bye') this.#others.delete(from)
    if (data === undefined) return
    const key = `${id} ${from}`
    const parts = this.#arriving.get(key) ?? []
    // The rest of an answer to a question that is over: without the parts before, its numbers would be too low.
    if (part !== parts.length) return
    parts.push(data)
    for (const question of this.#open.values()) question.heard()
    if (!isLast) {
      // The answer to a question that is over comes too late.
      if (!this.#open.has(id as number)) return
      this.#arriving.set(key, parts)
      const more: Content = { dmicroMetrics: 'more', id, to: from }
      void turn().then(() => (worker === undefined ? this.#post(more) : this.#toWorker(worker, more)))
      return
    }
    this.#arriving.delete(key)
    this.#last.delete(from)
    this.#last.set(from, parts.flat())
    if (dmicroMetrics === 'bye') this.#addEnded()
    for (const question of this.#open.values()) question.answered(from)
  }

  /** Takes a message of the one that asks this thread. */
  #obey({ dmicroMetrics, id, to }: Partial<Message>): void {
    const send = (message: Content): void => (isMainThread ? this.#toPrimary(message) : this.#post(message))
    const answer = (part: Part | undefined): void => {
      // After its `bye` nobody asks this thread again.
      if (part !== undefined && this.#channel !== undefined) send({ dmicroMetrics: 'answer', id, ...part })
    }
    if (dmicroMetrics === 'who') send({ dmicroMetrics: 'hello' })
    else if (dmicroMetrics === 'more' && to === this.#me) answer(this.#sender.more(id as number))
    else if (dmicroMetrics === 'ask')
      this.#snapshot().then(
        (snapshot) => answer(this.#sender.begin(id as number, snapshot)),
        () => {}, // the one who asks goes on without it
      )
  }

  /** Adds the oldest of those that have ended to one sum, so that memory does not grow with each that ends. */
  #addEnded(): void {
    let excess = this.#last.size - this.#others.size - MAX_ENDED
    for (const [from, data] of this.#last) {
      if (excess <= 0) return
      if (this.#others.has(from)) continue
      for (const _ of this.#adding(this.#ended, from, data));
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
    await inSlices(this.#addingAll(sum), () => {})
    return sum
  }

  *#addingAll(sum: Snapshot): Generator<void, void> {
    const threads = new Set<string>()
    for (const [from, data] of [...this.#last].reverse()) {
      const thread = from.slice(0, from.lastIndexOf('/'))
      yield* this.#adding(sum, from, data, threads.has(thread))
      threads.add(thread)
    }
    for (const part of this.#ended.parts()) yield* sum.adding(part)
  }

  /** @param isSecond whether another sender of its thread is in the sum, which has brought the numbers of the thread */
  #adding(sum: Snapshot, from: string, data: SnapshotData, isSecond = false): Generator<void, void> {
    const isOfThread = isOfThisProcess(from)
    const isAlive = this.#others.has(from)
    const isCounted = ({ name }: Family): boolean =>
      ((isOfThread || isSecond) && processNames.includes(name)) || (isSecond && loopNames.includes(name))
    return sum.adding(data, (family) => !isCounted(family) && (isAlive || isLasting(family)))
  }

  /** Asks the others, and waits until all have answered or nobody was heard for `WAIT_MS`, which ends a thread. */
  async #ask(): Promise<void> {
    const id = ++this.#questions
    const missing = new Set(this.#others.keys())
    await new Promise<void>((resolve) => {
      let timer = realClock.setTimeout(resolve, WAIT_MS)
      this.#open.set(id, {
        heard() {
          realClock.clearTimeout(timer)
          timer = realClock.setTimeout(resolve, WAIT_MS)
        },
        answered(from) {
          missing.delete(from)
          if (missing.size > 0) return
          realClock.clearTimeout(timer)
          resolve()
        },
      })
      const workers = [...this.#others.values()]
      if (workers.includes(undefined)) this.#post({ dmicroMetrics: 'ask', id })
      for (const worker of workers) if (worker !== undefined) this.#toWorker(worker, { dmicroMetrics: 'ask', id })
    })
    this.#open.delete(id)
    for (const from of missing) {
      this.#arriving.delete(`${id} ${from}`)
      if (this.#others.get(from) === undefined) this.#others.delete(from)
    }
  }
}

function isOfThisProcess(from: string): boolean {
  return from.startsWith(`${process.pid}/`)
}
