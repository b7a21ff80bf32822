import { AsyncResource } from 'node:async_hooks'
import { Queue } from '../../base/collections/queue.ts'
import { immediate, turn } from '../../base/time/clock.ts'

/** Events that a worker delivers before it lets the loop go on. */
const BURST = 64

interface Item {
  readonly name: string
  readonly data: unknown
  /** The async context of the publisher, in which the listeners run. */
  readonly context: AsyncResource
}

/** Events that wait for their delivery in the background, at most `limit` of them. */
export class DeliveryQueue {
  readonly #items = new Queue<Item>()
  readonly #limit: number
  readonly #concurrency: number
  readonly #deliver: (name: string, data: unknown) => Promise<void>
  #workers = 0
  #waitingForIdle: (() => void)[] = []

  /** @param deliver delivers one event; must not reject */
  constructor(limit: number, concurrency: number, deliver: (name: string, data: unknown) => Promise<void>) {
    this.#limit = limit
    this.#concurrency = concurrency
    this.#deliver = deliver
  }

  /** Number of events that wait. */
  get size(): number {
    return this.#items.size
  }

  /** @returns false when the queue is full */
  push(name: string, data: unknown): boolean {
    if (this.#items.size >= this.#limit) return false
    this.#items.push({ name, data, context: new AsyncResource('dmicro event') })
    if (this.#workers < this.#concurrency) {
      this.#workers++
      immediate(() => void this.#work())
    }
    return true
  }

  /** Resolves when nothing waits and nothing is delivered. */
  idle(): Promise<void> {
    return this.#workers === 0 ? Promise.resolve() : new Promise((resolve) => this.#waitingForIdle.push(resolve))
  }

  async #work(): Promise<void> {
    let delivered = 0
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      await item.context.runInAsyncScope(this.#deliver, undefined, item.name, item.data)
      if (++delivered % BURST === 0) await turn()
    }
    if (--this.#workers === 0) for (const resolve of this.#waitingForIdle.splice(0)) resolve()
  }
}
