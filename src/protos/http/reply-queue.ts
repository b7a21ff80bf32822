import { CloseReason } from '../../message/close-reason.ts'
import { ProtoError } from '../proto.ts'

/** First sequence number of requests without X-Seq; no X-Seq is as large. */
const FIRST_SEQ = 2 ** 32

/** Number of sent replies in the lists at which the lists are cut. */
const DROP_AT = 1024

/** Properties of a plain request that its reply depends on. */
export interface Asked {
  /** Whether the reply has no body (HEAD). */
  readonly head: boolean
  /** Whether the connection ends with the reply. */
  readonly close: boolean
  readonly gzip: boolean
  /** Whether only a safe route may be called, because the method must have no effects. */
  readonly safeOnly: boolean
  /** Header lines of CORS and of the connection, each with its CRLF. */
  readonly lines: string
}

/**
 * Replies to plain requests, which are sent in the order of the requests (RFC 9112 §9.3.2). Replies that are ready
 * early wait here.
 */
export class ReplyQueue {
  /** Whether the reply that ends the connection was sent. */
  ended = false
  /** The requests from `#first` on, and their replies if there are any. Equal requests may share one `Asked`. */
  readonly #asked: (Asked | undefined)[] = []
  readonly #done: (string | Uint8Array | undefined)[] = []
  #first = 0
  #seq = FIRST_SEQ
  #held = 0
  #interim = ''
  readonly #maxHeld: number

  constructor(maxHeld: number) {
    this.#maxHeld = maxHeld
  }

  get empty(): boolean {
    return this.#first === this.#asked.length
  }

  /**
   * Adds a request.
   *
   * @returns the sequence number for it
   */
  add(asked: Asked): number {
    this.#asked.push(asked)
    this.#done.push(undefined)
    return this.#seq++
  }

  get(seq: number): Asked | undefined {
    return this.#asked[this.#index(seq)]
  }

  static owns(seq: number): boolean {
    return seq >= FIRST_SEQ
  }

  /** Sends `text` once every reply before it is sent: it asks the client for the body of the next request. */
  afterAll(text: string): void {
    this.#interim = text
  }

  /**
   * Adds a reply.
   *
   * @param reply kept while it has to wait
   * @returns what can be written now
   * @throws ProtoError when the waiting replies take too many bytes
   */
  settle(seq: number, reply: string | Uint8Array): string | Uint8Array {
    const index = this.#index(seq)
    const asked = this.#asked[index]
    if (asked === undefined || this.#done[index] !== undefined) throw new Error(`http: no request waits for reply ${seq}`)
    if (index === this.#first) {
      this.#take(asked)
      return this.#withInterim(this.#done[this.#first] === undefined ? reply : this.#collect(reply))
    }
    const size = typeof reply === 'string' ? Buffer.byteLength(reply) : reply.length
    if (this.#held + size > this.#maxHeld)
      throw new ProtoError('http: replies that wait for an earlier one take too much', CloseReason.Unsent)
    this.#held += size
    this.#done[index] = reply
    return ''
  }

  /** Returns `first` and the replies that waited for it. */
  #collect(first: string | Uint8Array): string | Uint8Array {
    const parts: (string | Uint8Array)[] = [first]
    for (let next = this.#done[this.#first]; next !== undefined && !this.ended; next = this.#done[this.#first]) {
      parts.push(next)
      this.#held -= typeof next === 'string' ? Buffer.byteLength(next) : next.length
      this.#take(this.#asked[this.#first]!)
    }
    if (parts.every((part) => typeof part === 'string')) return parts.join('')
    return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  }

  #take(asked: Asked): void {
    if (asked.close) this.ended = true
    this.#asked[this.#first] = this.#done[this.#first] = undefined
    this.#first++
    if (this.empty) this.#asked.length = this.#done.length = this.#first = 0
    else if (this.#first === DROP_AT) {
      this.#asked.splice(0, DROP_AT)
      this.#done.splice(0, DROP_AT)
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
    return this.#asked.length - (this.#seq - seq)
  }
}
