import { CloseReason } from '../../close-reason.ts'
import { ProtoError } from '../../proto.ts'

/** Sequence numbers of requests that brought none of their own begin here: no X-Seq is as large. */
const FIRST_SEQ = 2 ** 32

/** What a plain request wants of its reply. */
export interface Asked {
  /** No body (HEAD). */
  readonly head: boolean
  /** The connection ends with the reply. */
  readonly close: boolean
  readonly gzip: boolean
  /** Header lines of CORS, each with its CRLF. */
  readonly cors: string
}

interface Waiting extends Asked {
  reply: string | Uint8Array | undefined
}

/** Replies to plain requests, which leave in the order of the requests (RFC 9112 §9.3.2). Those that are done early wait here. */
export class ReplyQueue {
  /** The reply that ends the connection was given out. */
  ended = false
  #waiting: (Waiting | undefined)[] = []
  #first = 0
  #seq = FIRST_SEQ
  #held = 0
  #interim = ''
  readonly #maxHeld: number

  constructor(maxHeld: number) {
    this.#maxHeld = maxHeld
  }

  get empty(): boolean {
    return this.#first === this.#waiting.length
  }

  /** @returns the sequence number of the request */
  add(asked: Asked): number {
    this.#waiting.push(asked as Waiting)
    return this.#seq++
  }

  get(seq: number): Asked | undefined {
    return this.#waiting[this.#index(seq)]
  }

  static owns(seq: number): boolean {
    return seq >= FIRST_SEQ
  }

  /** Has `text` written when every reply before it was: the next request is asked for its body with it. */
  afterAll(text: string): void {
    this.#interim = text
  }

  /**
   * @param reply kept if it has to wait
   * @returns what can be written now
   * @throws ProtoError when replies that wait for an earlier one take too much
   */
  settle(seq: number, reply: string | Uint8Array): string | Uint8Array {
    const index = this.#index(seq)
    const waiting = this.#waiting[index]
    if (waiting === undefined || waiting.reply !== undefined) throw new Error(`http: no request waits for reply ${seq}`)
    if (index === this.#first) {
      this.#take(waiting)
      if (this.empty || this.#waiting[this.#first]!.reply === undefined) return this.#withInterim(reply)
      return this.#withInterim(this.#collect(reply))
    }
    const size = typeof reply === 'string' ? Buffer.byteLength(reply) : reply.length
    if (this.#held + size > this.#maxHeld)
      throw new ProtoError('http: replies that wait for an earlier one take too much', CloseReason.Unsent)
    this.#held += size
    waiting.reply = reply
    return ''
  }

  /** `first` and the replies that waited for it. */
  #collect(first: string | Uint8Array): string | Uint8Array {
    const parts: (string | Uint8Array)[] = [first]
    for (let next = this.#waiting[this.#first]; next?.reply !== undefined && !this.ended; next = this.#waiting[this.#first]) {
      parts.push(next.reply)
      this.#held -= typeof next.reply === 'string' ? Buffer.byteLength(next.reply) : next.reply.length
      this.#take(next)
    }
    if (parts.every((part) => typeof part === 'string')) return parts.join('')
    return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  }

  #take(waiting: Asked): void {
    if (waiting.close) this.ended = true
    this.#waiting[this.#first++] = undefined
    if (this.#first === this.#waiting.length) this.#waiting.length = this.#first = 0
    else if (this.#first === 1024) {
      this.#waiting.splice(0, 1024)
      this.#first = 0
    }
  }

  #withInterim(reply: string | Uint8Array): string | Uint8Array {
    if (this.#interim === '' || !this.empty) return reply
    const interim = this.#interim
    this.#interim = ''
    return typeof reply === 'string' ? reply + interim : Buffer.concat([reply, Buffer.from(interim)])
  }

  #index(seq: number): number {
    return this.#waiting.length - (this.#seq - seq)
  }
}
