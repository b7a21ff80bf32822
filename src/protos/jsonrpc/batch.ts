/**
 * The replies to one batch, until it is complete. One array answers a batch, in any order. Members without an id have
 * no reply, and a batch of only those has none at all.
 */
export class Batch {
  readonly #answers: string[] = []
  /** Number of members that are not read or not answered yet. */
  #open: number
  /** Number of bytes of the replies held here. */
  size = 0

  constructor(members: number) {
    this.#open = members
  }

  /** Adds the reply to one member; '' when the member needs none. */
  add(answer: string, size: number): void {
    this.#open--
    if (answer === '') return
    this.#answers.push(answer)
    this.size += size + 1
  }

  get complete(): boolean {
    return this.#open === 0
  }

  /** The reply to the whole batch; '' when there is none. */
  get text(): string {
    return this.#answers.length === 0 ? '' : `[${this.#answers.join(',')}]\r\n`
  }
}

/** A request that is answered later: its id, its form, and its batch. */
interface Asked {
  /** JSON text of the id, exactly as received. */
  readonly id: string
  /** Whether the peer did not use Go's dialect. */
  readonly plain: boolean
  readonly batch: Batch | undefined
}

/**
 * Requests whose reply needs more than a number: ids that are no int32, and members of batches. Their numbers lie above
 * all other ids.
 */
export class AskedTable {
  readonly #asked = new Map<number, Asked>()
  #next = FIRST

  add(asked: Asked): number {
    this.#asked.set(this.#next, asked)
    return this.#next++
  }

  get(seq: number): Asked | undefined {
    return this.#asked.get(seq)
  }

  /** Removes a request that was answered. */
  delete(seq: number): void {
    this.#asked.delete(seq)
  }
}

/** First number, above every int32. */
const FIRST = 2 ** 32
