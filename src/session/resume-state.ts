import { Chain, type Link } from '../base/collections/chain.ts'
import type { Filter } from '../message/filter.ts'

/** An encoded message, ready for its filters. */
interface EncodedMessage {
  readonly filters: readonly Filter[] | undefined
  /** Status text; '' or undefined for OK. */
  readonly status?: string
  readonly meta: string
  readonly codec: number
  readonly body: string | Uint8Array | null
}

/** A PUSH as it was sent, buffered until the peer acknowledges it. */
export interface KeptPush extends EncodedMessage {
  readonly method: string
  /** Id of the method in the name table; -1 for none. */
  readonly route: number
}

/** The REPLY to an idempotent call. */
export interface KeptReply extends EncodedMessage {
  readonly status: string
}

/** An idempotent call of the peer, which must not run twice. */
export interface IdempotentCall {
  readonly key: number
  /** Sequence number of the CALL that started it. */
  readonly first: number
  /** Sequence number of the CALL to answer: the first one, or its retry on a later connection. */
  seq: number
  reply: KeptReply | undefined
  /** Place in the chain of calls received; undefined once forgotten. */
  came: Link<IdempotentCall> | undefined
  answered: Link<IdempotentCall> | undefined
}

/** Messages that were lost with a connection, or may have been. */
export interface Gap {
  /** Number of PUSHes sent by this side that the peer may not have received. */
  readonly sent: number
  /**
   * Number of the peer's PUSHes that this side did not receive; undefined when the peer does not know the session any
   * more and the number is unknown, perhaps 0.
   */
  readonly received: number | undefined
}

/** Bytes that buffering a message costs besides its content. */
const OVERHEAD = 128

/**
 * The state with which a session can be resumed. Both sides count the PUSHes of each direction and buffer those that
 * are not acknowledged. Idempotent calls have keys, by which their replies are found again.
 */
export class ResumeState {
  /** Token that identifies the session to the accepting side; undefined while none is agreed upon. */
  token: string | undefined
  /** Names of the filters that messages about resuming must go through. */
  filters: readonly string[] = []
  /** Whether the last connection ended after the peer's notice, so that nothing is missing. */
  peerDraining = false
  /** Whether a token is being requested. */
  asking = false
  /** Number of the last PUSH received in order. */
  received = 0
  /** Number of the last PUSH we have acknowledged. */
  acknowledged = 0
  readonly #maxBytes: number
  #sent = 0
  #confirmed = 0
  #skippedTo = -1
  #cameBefore = 0
  /** Buffered PUSHes by number, in order. */
  readonly #kept = new Map<number, KeptPush>()
  /** No PUSH with a lower number is buffered. */
  #keptFrom = 1
  #bytes = 0
  #keeps = true
  #nextKey = 1
  readonly #openKeys = new Set<number>()
  #settled = 1
  readonly #once = new Map<number, IdempotentCall>()
  readonly #came = new Chain<IdempotentCall>()
  readonly #answered = new Chain<IdempotentCall>()
  readonly #running = new Map<number, IdempotentCall>()

  /** @param maxBytes maximum number of buffered bytes */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Number of the last PUSH sent. */
  get sent(): number {
    return this.#sent
  }

  /** Number of PUSHes sent that the peer has not acknowledged. */
  get unconfirmed(): number {
    return this.#keeps ? this.#sent - this.#confirmed : 0
  }

  /** Stops buffering pushes, because the peer cannot resume; they are only counted. */
  stopBuffering(): void {
    this.#keeps = false
    this.#dropPushes()
  }

  /**
   * Buffers a PUSH that is about to be sent.
   *
   * @returns its number
   */
  buffer(push: KeptPush): number {
    const number = ++this.#sent
    if (!this.#keeps) return number
    const { body } = push
    this.#kept.set(number, body instanceof Uint8Array ? { ...push, body: Buffer.from(body) } : push)
    this.#bytes += sizeOf(push)
    this.#shrink()
    return number
  }

  /**
   * Removes a PUSH that was not sent after all.
   *
   * @returns false when it is not the last one: then it must be counted as if it had been sent
   */
  unbuffer(number: number): boolean {
    this.#drop(number)
    if (number !== this.#sent) return false
    this.#sent--
    this.#keptFrom = Math.min(this.#keptFrom, number)
    return true
  }

  /** Handles the acknowledgment of all PUSHes up to `count`. */
  confirm(count: unknown): void {
    if (!isCount(count) || count > this.#sent || count <= this.#confirmed) return
    this.#confirmed = count
    while (this.from <= count) this.#drop(this.#keptFrom)
  }

  /**
   * Counts PUSHes that cannot be sent again as acknowledged.
   *
   * @returns how many
   */
  skipLost(): number {
    const lost = this.from - 1 - this.#confirmed
    this.#confirmed += lost
    return lost
  }

  /** Number of the first PUSH that can be sent again. Those between the acknowledged ones and this one are lost. */
  get from(): number {
    if (this.#kept.size === 0) this.#keptFrom = this.#sent + 1
    else while (!this.#kept.has(this.#keptFrom)) this.#keptFrom++
    return this.#keptFrom
  }

  /** The PUSHes to send again, in order. */
  get kept(): IterableIterator<KeptPush> {
    return this.#kept.values()
  }

  /**
   * Skips PUSHes that the peer cannot send again: it continues with number `from`.
   *
   * @returns how many never arrived
   */
  skipTo(from: unknown): number {
    if (!isCount(from) || from <= this.received + 1) return 0
    const lost = from - 1 - this.received
    this.#cameBefore = this.received
    this.#skippedTo = this.received = from - 1
    return lost
  }

  /** Starts to count the peer's PUSHes: the next one has number `from`. */
  beginAt(from: unknown): void {
    if (isCount(from) && from > 0) this.received = this.acknowledged = from - 1
  }

  /** Starts to count our PUSHes: those sent so far are not part of the session. */
  beginHere(): void {
    this.confirm(this.#sent)
  }

  /**
   * Number of the last PUSH received without a loss. PUSHes that the peer cannot send again are left out until it knows
   * of them.
   */
  get receivedContiguous(): number {
    return this.received === this.#skippedTo ? this.#cameBefore : this.received
  }

  /** Starts buffering pushes, because the peer can resume. */
  startBuffering(): void {
    this.#keeps = true
  }

  /**
   * Resets all counters.
   *
   * @param token the new token; undefined while none is agreed upon
   */
  restart(token: string | undefined): void {
    this.token = token
    this.asking = false
    this.received = this.acknowledged = this.#sent = this.#confirmed = 0
    this.#skippedTo = -1
    this.#keeps = true
    this.#dropPushes()
    for (let once = this.#came.first; once !== undefined; once = this.#came.first) this.#forgetOnce(once)
    this.#running.clear()
  }

  /** Makes the key of an idempotent call. */
  openKey(): number {
    const key = this.#nextKey++
    this.#openKeys.add(key)
    return key
  }

  /** Marks a key as settled: the peer may forget its reply. */
  closeKey(key: number): void {
    this.#openKeys.delete(key)
    while (this.#settled < this.#nextKey && !this.#openKeys.has(this.#settled)) this.#settled++
  }

  /** All keys below this one are settled. */
  get settledKeys(): number {
    return this.#settled
  }

  /** Idempotency header for the meta of that call: its key and `settledKeys`. */
  idempotencyHeader(key: number): string {
    return `${key.toString(36)}.${this.#settled.toString(36)}`
  }

  /**
   * Registers the peer's CALL `seq` with the idempotency header `text`.
   *
   * @param max maximum number of calls to remember
   * @returns the call that it starts or retries; undefined when it must run as if it had no key
   */
  begin(text: string, seq: number, max: number): { once: IdempotentCall; repeated: boolean } | undefined {
    const parts = /^([0-9a-z]{1,10})\.([0-9a-z]{1,10})$/.exec(text)
    if (parts === null) return undefined
    const [key, settled] = [Number.parseInt(parts[1], 36), Number.parseInt(parts[2], 36)]
    this.forget(settled)
    const known = this.#once.get(key)
    if (known !== undefined) {
      known.seq = seq
      return { once: known, repeated: true }
    }
    if (this.#running.has(seq)) return undefined
    if (this.#once.size >= max && !this.#forgetOldest()) return undefined
    const once: IdempotentCall = { key, first: seq, seq, reply: undefined, came: undefined, answered: undefined }
    this.#remember(once)
    this.#running.set(seq, once)
    return { once, repeated: false }
  }

  /** Forgets all calls with keys below `settled`: the peer will not retry them. */
  forget(settled: unknown): void {
    if (!isCount(settled)) return
    for (let once = this.#came.first; once !== undefined && once.key < settled; once = this.#came.first) this.#forgetOnce(once)
  }

  /** Makes room for one more by forgetting the oldest answered call, which could then run again. */
  #forgetOldest(): boolean {
    const once = this.#answered.first
    if (once !== undefined) this.#forgetOnce(once)
    return once !== undefined
  }

  /** Reopens a call whose reply cannot be sent. Another reply follows. */
  reopen(once: IdempotentCall): void {
    this.#unanswer(once)
    once.reply = undefined
    this.#remember(once)
    this.#running.set(once.first, once)
  }

  /** Forgets a call that was refused before it started: it may be retried with its key. */
  refuse(once: IdempotentCall): void {
    this.#running.delete(once.first)
    this.#forgetOnce(once)
  }

  /** The idempotent call that CALL `seq` started, while it runs. */
  running(seq: number): IdempotentCall | undefined {
    return this.#running.size === 0 ? undefined : this.#running.get(seq)
  }

  /** Buffers the reply of an idempotent call. */
  answer(once: IdempotentCall, reply: KeptReply): void {
    const { body } = reply
    this.#running.delete(once.first)
    once.reply = body instanceof Uint8Array ? { ...reply, body: Buffer.from(body) } : reply
    if (once.came === undefined) return // forgotten: the peer will not ask for it
    once.answered = this.#answered.add(once)
    this.#bytes += sizeOf(reply)
    this.#shrink()
  }

  /**
   * Drops what exceeds the limit: first replies, the oldest first, whose calls could then run again; then PUSHes, which
   * leaves a gap that is reported.
   */
  #shrink(): void {
    while (this.#bytes > this.#maxBytes && this.#forgetOldest());
    while (this.#bytes > this.#maxBytes && this.#kept.size > 0) this.#drop(this.from)
  }

  #drop(number: number): void {
    const push = this.#kept.get(number)
    if (push === undefined) return
    this.#kept.delete(number)
    this.#bytes -= sizeOf(push)
  }

  #dropPushes(): void {
    for (const push of this.#kept.values()) this.#bytes -= sizeOf(push)
    this.#kept.clear()
    this.#keptFrom = this.#sent + 1
  }

  #remember(once: IdempotentCall): void {
    this.#once.set(once.key, once)
    once.came ??= this.#came.add(once)
  }

  #forgetOnce(once: IdempotentCall): void {
    this.#once.delete(once.key)
    if (once.came !== undefined) this.#came.remove(once.came)
    once.came = undefined
    this.#unanswer(once)
  }

  /** Drops the buffered reply. */
  #unanswer(once: IdempotentCall): void {
    if (once.answered === undefined) return
    this.#answered.remove(once.answered)
    once.answered = undefined
    this.#bytes -= sizeOf(once.reply as KeptReply)
  }
}

function sizeOf({ method = '', status = '', meta, body }: EncodedMessage & { readonly method?: string }): number {
  // A string of UTF-16 may take two bytes per unit.
  return (
    OVERHEAD +
    2 * (method.length + status.length + meta.length) +
    (body === null ? 0 : typeof body === 'string' ? 2 * body.length : body.length)
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
