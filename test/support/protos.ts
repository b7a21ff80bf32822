import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { type Clock, realClock } from '../../src/base/time/clock.ts'
import { Incoming } from '../../src/message/message.ts'
import { nameText } from '../../src/message/names.ts'
import { Outgoing } from '../../src/message/outgoing.ts'
import type { Proto, ProtoLink, ProtoSession } from '../../src/protos/proto.ts'

/** What a test sees of a message that a protocol unpacked. */
export interface Seen {
  type: number
  seq: number
  method: string
  status: unknown
  meta: unknown
  codec: number
  body: string
}

/** One connection of `proto` without a socket: what it wrote by itself, and whether it asked to end. */
export class Bench {
  readonly link: ProtoLink
  readonly session: ProtoSession
  readonly written: Buffer[] = []
  ended = false
  #rest: Buffer = Buffer.alloc(0)

  constructor(
    proto: Proto,
    {
      accepted = true,
      limits = {},
      authority = accepted ? undefined : 'peer:1',
      clock = { ...realClock, date: () => 0 },
    }: {
      accepted?: boolean
      limits?: Partial<Limits>
      authority?: string | undefined
      clock?: Clock
    } = {},
  ) {
    this.link = {
      limits: { ...defaultLimits, ...limits },
      accepted,
      authority,
      clock,
      write: (bytes) => this.written.push(Buffer.from(bytes as string)),
      end: () => {
        this.ended = true
      },
    }
    this.session = proto.open(this.link)
  }

  /** Messages of a stream protocol in what came so far, `bytes` being its newest part. */
  feed(bytes: Uint8Array): Seen[] {
    this.#rest = Buffer.concat([this.#rest, bytes])
    const messages: Seen[] = []
    for (let at = 0; ; ) {
      const message = new Incoming()
      const used = this.session.unpack(this.#rest, at, this.#rest.length, message)
      at += used
      if (message.type !== 0) messages.push(seen(message))
      if ((used === 0 && message.type === 0) || at >= this.#rest.length) {
        this.#rest = this.#rest.subarray(at)
        return messages
      }
    }
  }

  /** The message in one payload of an envelope protocol. */
  open(payload: Uint8Array): Seen {
    const message = new Incoming()
    this.session.unpack(Buffer.from(payload), 0, payload.length, message)
    return seen(message)
  }

  pack(fields: Partial<Outgoing>): Buffer {
    return Buffer.from(this.session.pack(Object.assign(new Outgoing(), fields)) as string)
  }
}

function seen(message: Incoming): Seen {
  const text = (start: number, end: number): string => message.buffer.toString('utf8', start, end)
  return {
    type: message.type,
    seq: message.seq,
    method: message.method ?? (message.route >= 0 ? nameText(message.route) : text(message.nameStart, message.nameEnd)),
    status: message.status ?? text(message.statusStart, message.statusEnd),
    meta: message.meta ?? text(message.metaStart, message.metaEnd),
    codec: message.codec,
    body: text(message.bodyStart, message.bodyEnd),
  }
}
