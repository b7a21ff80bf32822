import { Chain, type Link } from '../base/collections/chain.ts'
import type { Filter } from '../message/filter.ts'

/** What a message carries, ready for its filters and the wire. */
export interface EncodedMessage {
  readonly filters: readonly Filter[] | undefined
  /** '' or undefined for OK. */
  readonly status?: string
  readonly meta: string
  readonly codec: number
  readonly body: string | Uint8Array | null
}

/** A PUSH as it was sent, kept until the peer says that it has it. */
export interface KeptPush extends EncodedMessage {
  readonly method: string
  /** Its id (names.ts), -1 for none. */
  readonly route: number
}

/** The REPLY to a call that must not run twice. */
export interface KeptReply extends EncodedMessage {
  readonly status: string
}

/** A call of the peer's that must not run twice. */
export interface IdempotentCall {
  readonly key: number
  /** Number of the CALL that began it. */
  readonly first: number
  /** Number of the CALL that is to be answered: the same, or that of its repetition on a later connection. */
  seq: number
  reply: KeptReply | undefined
  /** Among those that came, until it is forgotten, and among those that have their reply. */
  came: Link<IdempotentCall> | undefined
  answered: Link<IdempotentCall> | undefined
}

/** What may have been lost with a connection. */
export interface Gap {
  /** PUSHes sent from here that the peer may not have received. */
  readonly sent: number
  /** PUSHes of the peer's that did not come; undefined: it does not know any more how many there were, perhaps none. */
  readonly received: number | undefined
}

/** Bytes that keeping a message costs beside its body. */
const OVERHEAD = 128

/**
 * What a session needs to go on after its connection was lost: both sides count the PUSHes of each direction and keep those that are not
 * acknowledged; calls marked idempotent have keys by which their replies are found again.
 */
export class ResumeState {
  /** Names the session to the side that accepted it. Undefined: not agreed upon yet, or no more. */
  token: string | undefined
  /** That messages about it must go through. */
  filters: readonly string[] = []
  /** The last connection ended with notice: nothing is missing. */
  peerDraining = false
  /** The peer is being asked for a name. */
  asking = false
  /** PUSHes received in order. */
  received = 0
  /** Those that the peer knows of. */
  acknowledged = 0
  readonly #maxBytes: number
  #sent = 0
  #confirmed = 0
  #skippedTo = -1
  #cameBefore = 0
  /** By number, in order. */
  readonly #kept = new Map<number, KeptPush>()
  /** None before it is kept. */
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

  /** @param maxBytes of what is kept for the peer */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** PUSHes sent. */
  get sent(): number {
    return this.#sent
  }

  /** PUSHes sent whose arrival is not known. */
  get unconfirmed(): number {
    return this.#keeps ? this.#sent - this.#confirmed : 0
  }

  /** The peer is none that resumes: nothing is kept, only counted. */
  stopBuffering(): void {
    this.#keeps = false
    this.#dropPushes()
  }

  /** Keeps a PUSH that is sent now. @returns its number */
  buffer(push: KeptPush): number {
    const number = ++this.#sent
    if (!this.#keeps) return number
    const { body } = push
    this.#kept.set(number, body instanceof Uint8Array ? { ...push, body: Buffer.from(body) } : push)
    this.#bytes += sizeOf(push)
    this.#shrink()
    return number
  }

  /** PUSH `number` was not sent after all. False when it is not the last: then it must be counted as if it had been. */
  unbuffer(number: number): boolean {
    this.#drop(number)
    if (number !== this.#sent) return false
    this.#sent--
    this.#keptFrom = Math.min(this.#keptFrom, number)
    return true
  }

  /** The peer has all PUSHes up to `count`. */
  confirm(count: unknown): void {
    if (!isCount(count) || count > this.#sent || count <= this.#confirmed) return
    this.#confirmed = count
    while (this.from <= count) this.#drop(this.#keptFrom)
  }

  /** Counts what cannot be sent again as confirmed. @returns how many */
  skipLost(): number {
    const lost = this.from - 1 - this.#confirmed
    this.#confirmed += lost
    return lost
  }

  /** Number of the first PUSH that can be sent again; all between the confirmed ones and this are lost. */
  get from(): number {
    if (this.#kept.size === 0) this.#keptFrom = this.#sent + 1
    else while (!this.#kept.has(this.#keptFrom)) this.#keptFrom++
    return this.#keptFrom
  }

  /** Those to send again, in order. */
  get kept(): IterableIterator<KeptPush> {
    return this.#kept.values()
  }

  /** The peer goes on with `from`: how many before it never came. */
  skipTo(from: unknown): number {
    if (!isCount(from) || from <= this.received + 1) return 0
    const lost = from - 1 - this.received
    this.#cameBefore = this.received
    this.#skippedTo = this.received = from - 1
    return lost
  }

  /** Both sides begin to count: the next PUSH of the peer's is number `from`. */
  beginAt(from: unknown): void {
    if (isCount(from) && from > 0) this.received = this.acknowledged = from - 1
  }

  /** PUSHes sent so far are none of what is counted. */
  beginHere(): void {
    this.confirm(this.#sent)
  }

  /** How many came of those the peer sent: those it cannot send again left out, until it knows of them. */
  get receivedContiguous(): number {
    return this.received === this.#skippedTo ? this.#cameBefore : this.received
  }

  /** The peer turned out to be one that resumes. */
  startBuffering(): void {
    this.#keeps = true
  }

  /** Both sides begin anew. @param token undefined: nothing is agreed upon yet */
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

  /** The key of an idempotent call that begins. */
  openKey(): number {
    const key = this.#nextKey++
    this.#openKeys.add(key)
    return key
  }

  /** It is settled: the peer may forget it. */
  closeKey(key: number): void {
    this.#openKeys.delete(key)
    while (this.#settled < this.#nextKey && !this.#openKeys.has(this.#settled)) this.#settled++
  }

  /** All keys below are settled. */
  get settledKeys(): number {
    return this.#settled
  }

  /** For the meta of an idempotent call. */
  idempotencyHeader(key: number): string {
    return `${key.toString(36)}.${this.#settled.toString(36)}`
  }

  /**
   * A CALL with number `seq` came with `text`.
   * @returns what it is to be answered by, new or of an earlier CALL; undefined: it must run as if it had no key
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

  /** The peer waits for none of the calls with keys below: nor will it make them again. */
  forget(settled: unknown): void {
    if (!isCount(settled)) return
    for (let once = this.#came.first; once !== undefined && once.key < settled; once = this.#came.first) this.#forgetOnce(once)
  }

  /** Makes room for one more: the oldest call that has its reply could run again. */
  #forgetOldest(): boolean {
    const once = this.#answered.first
    if (once !== undefined) this.#forgetOnce(once)
    return once !== undefined
  }

  /** Its reply cannot be sent: another one will be. */
  reopen(once: IdempotentCall): void {
    this.#unanswer(once)
    once.reply = undefined
    this.#remember(once)
    this.#running.set(once.first, once)
  }

  /** It never began: it may be called again under its key. */
  refuse(once: IdempotentCall): void {
    this.#running.delete(once.first)
    this.#forgetOnce(once)
  }

  /** The call that CALL `seq` began, while it runs. */
  running(seq: number): IdempotentCall | undefined {
    return this.#running.size === 0 ? undefined : this.#running.get(seq)
  }

  /** Keeps the reply of a call that must not run twice. */
  answer(once: IdempotentCall, reply: KeptReply): void {
    const { body } = reply
    this.#running.delete(once.first)
    once.reply = body instanceof Uint8Array ? { ...reply, body: Buffer.from(body) } : reply
    if (once.came === undefined) return // nobody will ask for it
    once.answered = this.#answered.add(once)
    this.#bytes += sizeOf(reply)
    this.#shrink()
  }

  /** What is kept too much: first replies, oldest first, whose calls could run again; then PUSHes, which leaves a gap that is reported. */
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

  /** Its reply is not kept any more. */
  #unanswer(once: IdempotentCall): void {
    if (once.answered === undefined) return
    this.#answered.remove(once.answered)
    once.answered = undefined
    this.#bytes -= sizeOf(once.reply as KeptReply)
  }
}

function sizeOf({ method = '', status = '', meta, body }: EncodedMessage & { readonly method?: string }): number {
  // A string of UTF-16 may take two bytes a unit.
  return (
    OVERHEAD +
    2 * (method.length + status.length + meta.length) +
    (body === null ? 0 : typeof body === 'string' ? 2 * body.length : body.length)
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
