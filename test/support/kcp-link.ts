import { KcpConversation } from '../../src/wire/kcp/conversation.ts'
import { Wanted } from '../../src/wire/kcp/machine.ts'
import type { KcpSettings } from '../../src/wire/kcp/settings.ts'
import { random } from './random.ts'

/** When a conversation is flushed: as kcp-go's sessions are, or as ours. */
export type Driver = 'go' | 'ours'

export interface KcpLinkOptions {
  readonly settings: KcpSettings
  readonly driver: Driver
  readonly seed: number
  /** Of 100 datagrams, in each direction. */
  readonly loss: number
  /** Milliseconds of one way. */
  readonly delay: number
  readonly calls: number
  readonly request: number
  readonly reply: number
  /** Milliseconds that the server takes for a reply. */
  readonly thinking?: number
}

export interface KcpLinkResult {
  /** Milliseconds of each call, sorted. */
  readonly latencies: number[]
  /** Milliseconds of all calls. */
  readonly took: number
  readonly datagrams: number
  readonly bytes: number
}

/** Segments of acknowledgements that kcp-go sends without waiting for more. */
const GO_ACKS = Math.floor(1400 / 24)

class End {
  readonly conversation: KcpConversation
  read = 0
  readonly #driver: Driver
  readonly #interval: number
  #due: number
  #acks = 0

  constructor({ settings, driver }: KcpLinkOptions, send: (datagram: Buffer) => void) {
    this.conversation = new KcpConversation(7, settings, send)
    this.#driver = driver
    this.conversation.machine.prompt = driver === 'ours'
    this.#interval = settings.interval
    this.#due = 0
    this.#flush(0)
  }

  write(bytes: number, now: number): void {
    this.conversation.machine.sending.write(Buffer.alloc(bytes))
    this.#flush(now)
  }

  receive(datagram: Buffer, now: number): void {
    const { machine } = this.conversation
    this.conversation.receive(datagram, now)
    for (let data: Buffer | undefined; (data = machine.read()) !== undefined; ) this.read += data.length
    if (machine.wanted === Wanted.Full) {
      this.#flush(now)
    } else if (this.#driver === 'ours') {
      if (machine.mustTell || machine.sending.queued > 0) this.#flush(now)
    } else if (machine.mustTell && ++this.#acks >= GO_ACKS) {
      this.conversation.flush(false, now)
      this.#acks = 0
    }
  }

  turn(now: number): void {
    if (now >= this.#due) this.#flush(now)
  }

  #flush(now: number): void {
    this.#acks = 0
    this.conversation.flush(true, now)
    this.#due = now + Math.min(this.conversation.machine.due(now), this.#driver === 'go' ? this.#interval : 1e9)
  }
}

/** Calls one after the other over a link with losses, in a time of its own. */
export function runKcpLink(options: KcpLinkOptions): KcpLinkResult {
  const { loss, delay, calls, request, reply, thinking = 0 } = options
  const rnd = random(options.seed)
  const flying: { at: number; to: number; datagram: Buffer }[] = []
  let now = 0
  let datagrams = 0
  let bytes = 0
  const ends = [0, 1].map(
    (from) =>
      new End(options, (datagram) => {
        datagrams++
        bytes += datagram.length + 28
        if (rnd(1000) >= loss * 10) flying.push({ at: now + delay, to: 1 - from, datagram: Buffer.from(datagram) })
      }),
  )
  const [client, server] = ends
  const latencies: number[] = []
  for (let call = 1; call <= calls; call++) {
    const began = now
    client.write(request, now)
    let answerAt: number | undefined
    while (client.read < call * reply) {
      now++
      while (flying.length > 0 && flying[0].at <= now) {
        const { to, datagram } = flying.shift()!
        ends[to].receive(datagram, now)
      }
      if (answerAt === undefined && server.read >= call * request) answerAt = now + thinking
      if (answerAt !== undefined && answerAt <= now) {
        server.write(reply, now)
        answerAt = Number.POSITIVE_INFINITY
      }
      for (const end of ends) end.turn(now)
      if (now > 100_000_000) throw new Error('nothing moves')
    }
    latencies.push(now - began)
  }
  latencies.sort((a, b) => a - b)
  return { latencies, took: now, datagrams, bytes }
}
