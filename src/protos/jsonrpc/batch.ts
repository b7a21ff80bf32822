/**
 * The answers to one batch, until all of them are there. A batch is answered by one array, in any order; members without an id have no answer,
 * and a batch of nothing else is not answered at all.
 */
export class Batch {
  readonly #answers: string[] = []
  /** Members that are not read yet, or not answered yet. */
  #open: number
  /** Bytes held here. */
  size = 0

  constructor(members: number) {
    this.#open = members
  }

  /** A member was answered, or needs no answer when the text is ''. */
  add(answer: string, size: number): void {
    this.#open--
    if (answer === '') return
    this.#answers.push(answer)
    this.size += size + 1
  }

  get complete(): boolean {
    return this.#open === 0
  }

  /** The whole answer, '' when there is none to give. */
  get text(): string {
    return this.#answers.length === 0 ? '' : `[${this.#answers.join(',')}]\r\n`
  }
}

/** What is answered to one request later: its id, how, and where. */
export interface Asked {
  /** JSON text, exactly as it came. */
  readonly id: string
  /** The peer said nothing of Go's dialect. */
  readonly plain: boolean
  readonly batch: Batch | undefined
}

/**
 * Requests whose answer takes more than a number: ids that are no int32, and members of batches. They get numbers that no id of the others can
 * be.
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

  /** It was answered. */
  delete(seq: number): void {
    this.#asked.delete(seq)
  }
}

/** Above every int32. */
const FIRST = 2 ** 32
