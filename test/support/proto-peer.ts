import { defaultLimits } from '../../src/base/limits.ts'
import { realClock } from '../../src/base/time/clock.ts'
import { TimerWheel } from '../../src/base/time/timer-wheel.ts'
import { FilteredIn } from '../../src/filtering/inbound.ts'
import { FilteredOut } from '../../src/filtering/outbound.ts'
import { insecureAes } from '../../src/filters/aes.ts'
import { makeFilters } from '../../src/filters/filter-table.ts'
import { CloseReason } from '../../src/message/close-reason.ts'
import type { Filter } from '../../src/message/filter.ts'
import { Incoming, UNPARSED } from '../../src/message/message.ts'
import { encodeMeta } from '../../src/message/meta.ts'
import type { Outgoing, Packer } from '../../src/message/outgoing.ts'
import { encodeStatus } from '../../src/message/status-json.ts'
import { EnvelopeConnection } from '../../src/protos/connection/envelope-connection.ts'
import type { ProtoOwner } from '../../src/protos/connection/protocol-connection.ts'
import { StreamConnection } from '../../src/protos/connection/stream-connection.ts'
import type { Proto } from '../../src/protos/proto.ts'
import { type ConnectionHandler, SendResult, type TransportConnection } from '../../src/transports/transport.ts'
import { ENVELOPE_BYTES, writeEnvelope } from '../../src/wire/cut-envelope.ts'
import { Framer } from '../../src/wire/framer.ts'
import { Framing } from '../../src/wire/framing.ts'
import { outgoing } from './outgoing.ts'
import { type Fields, fieldsOf } from './proto-fields.ts'

/** A message with the ids of its filters, outermost first. */
export interface Message extends Omit<Fields, 'body'> {
  readonly body: Uint8Array | string
  readonly filters: readonly number[]
}

/** gzip, md5, and aes with the key of the vectors. */
export const filters = makeFilters([insecureAes('1234567890123456')])

const owner: ProtoOwner = { limits: defaultLimits, filters, wheel: new TimerWheel(), clock: realClock }

/** One end of a connection in `proto`: all that an endpoint has between a socket and a session, and neither of these. */
export class ProtoPeer {
  readonly messages: Message[] = []
  /** Why the connection was closed from here. */
  closed: CloseReason | undefined
  readonly #socket = new MemorySocket((reason) => this.#close(reason))
  readonly #framer: Framer
  readonly #wire: EnvelopeConnection | StreamConnection
  readonly #in: FilteredIn | undefined
  readonly #out: FilteredOut | undefined

  constructor(proto: Proto) {
    const envelope = proto.framing === 'envelope'
    this.#framer = new Framer(defaultLimits, envelope ? Framing.Envelope : Framing.Stream)
    this.#wire = new (envelope ? EnvelopeConnection : StreamConnection)(this.#socket, proto, owner, undefined)
    this.#wire.handler = {
      onMessage: (message) => (message.type === UNPARSED ? this.#in?.receive(message) : this.#take(message)),
      onClose() {},
    }
    if (this.#wire.envelope === undefined) return
    this.#in = new FilteredIn(this.#wire, this.#wire.envelope, filters, defaultLimits.maxMessage, {
      onMessage: (message) => this.#take(message),
      fail: (reason) => this.#close(reason),
      onFiltersIdle() {},
      onFiltersNeedDrain() {},
    })
    this.#out = new FilteredOut(
      this.#wire,
      this.#wire.envelope,
      defaultLimits,
      () => {},
      () => {},
    )
  }

  /** What came in `bytes`. */
  feed(bytes: Buffer): Message[] {
    const whole = new Incoming()
    this.messages.length = 0
    this.#framer.feed(Buffer.from(bytes), bytes.length)
    for (let size = this.#framer.take(whole); size !== 0; size = this.#framer.take(whole)) {
      if (size < 0) {
        this.#close(-size as CloseReason)
        break
      }
      this.#socket.handler.onMessage(whole)
    }
    return [...this.messages]
  }

  /** The bytes of a message. */
  send({ type, seq, method, status, meta, codec, body, filters: ids }: Message): Buffer {
    const pipe = ids.map((id) => filters.byId(id) as Filter)
    const statusText = status === undefined ? '' : encodeStatus(status.code, status.message, status.cause)
    const content = body.length === 0 ? null : body
    this.#socket.sent.length = 0
    if (pipe.length === 0) this.#wire.send(outgoing(type, seq, -1, method, statusText, encodeMeta(meta), codec, content))
    else this.#out?.send(pipe, outgoing(type, seq, -1, method, statusText, encodeMeta(meta), codec, content))
    return Buffer.concat(this.#socket.sent)
  }

  /** The connection is gone. */
  drop(): void {
    this.#socket.handler.onClose(CloseReason.Peer, '')
  }

  #take(message: Incoming): void {
    this.messages.push({ ...fieldsOf(message), filters: (message.filters ?? []).map(({ id }) => id) })
  }

  #close(reason: CloseReason): void {
    this.closed ??= reason
  }
}

class MemorySocket implements TransportConnection {
  readonly sent: Buffer[] = []
  readonly localAddress = 'local'
  readonly remoteAddress = 'remote'
  readonly envelope = undefined
  readonly needsDrain = false
  readonly activity = 0
  readonly destroy: (reason: CloseReason) => void
  handler!: ConnectionHandler

  constructor(destroy: (reason: CloseReason) => void) {
    this.destroy = destroy
  }

  sendBytes(bytes: Uint8Array | string, bare: boolean): SendResult {
    const head = Buffer.alloc(bare ? ENVELOPE_BYTES : 0)
    const content = Buffer.from(bytes as string)
    if (bare) writeEnvelope(head, 0, head.length + content.length)
    this.sent.push(head, content)
    return SendResult.Ok
  }

  sendInPlace(packer: Packer, message: Outgoing, room: number, bare: boolean): SendResult | undefined {
    const target = Buffer.alloc(room)
    const end = packer.write(message, target, 0, room)
    return end < 0 ? undefined : this.sendBytes(target.subarray(0, end), bare)
  }

  send(): SendResult {
    throw new Error('only raw has messages here')
  }

  sendFrame(): SendResult {
    throw new Error('only raw has frames here')
  }

  setFraming(): void {}
  pauseReading(): void {}
  resumeReading(): void {}
  end(): void {
    this.destroy(CloseReason.Local)
  }
}
