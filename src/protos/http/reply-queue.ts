import { CloseReason } from '../../message/close-reason.ts'
import { ProtoError } from '../proto.ts'

/** Sequence numbers of requests that brought none of their own begin here: no X-Seq is as large. */
const FIRST_SEQ = 2 ** 32

/** So many replies that left are kept in the lists before they are cut. */
const DROP_AT = 1024

/** What a plain request wants of its reply. */
export interface Asked {
  /** No body (HEAD). */
  readonly head: boolean
  /** The connection ends with the reply. */
  readonly close: boolean
  readonly gzip: boolean
  /** Its method has no effects: another one may be asked for. */
  readonly safeOnly: boolean
  /** Header lines of CORS, and of how the connection goes on, each with its CRLF. */
  readonly lines: string
}

/** Replies to plain requests, which leave in the order of the requests (RFC 9112 §9.3.2). Those that are done early wait here. */
export class ReplyQueue {
  /** The reply that ends the connection was given out. */
  ended = false
  /** From `#first` on: what is asked, and the reply if it is there. Equal requests may share one `Asked`. */
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

  /** @returns the sequence number of the request */
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

  /** `first` and the replies that waited for it. */
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
