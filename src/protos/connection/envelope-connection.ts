import type { FilterTable } from '../../filters/filter-table.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Filter } from '../../message/filter.ts'
import type { Incoming } from '../../message/message.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import type { TransportConnection } from '../../transports/transport.ts'
import { ENVELOPE_BYTES } from '../../wire/cut-envelope.ts'
import type { Envelope, Opened } from '../../wire/envelope.ts'
import { type Proto, ProtoError } from '../proto.ts'
import { message, ProtocolConnection, type ProtoOwner } from './protocol-connection.ts'

/** Length of the size field in bytes, which the size does not count. */
const SIZE_BYTES = 4

/**
 * Connection with an envelope protocol (`Proto.framing`). The transport cuts envelopes; those with filters are passed
 * on whole.
 */
export class EnvelopeConnection extends ProtocolConnection implements Envelope {
  readonly envelope = this
  protected readonly enveloped = true

  constructor(connection: TransportConnection, proto: Proto, owner: ProtoOwner, authority: string | undefined) {
    super(connection, proto, owner, authority)
    connection.handler = this
  }

  onMessage(whole: Incoming): void {
    const { buffer, bodyStart, bodyEnd } = whole
    if (this.over) return
    if (buffer[bodyStart + SIZE_BYTES] !== 0) {
      this.handler.onMessage(whole)
      return
    }
    message.clear()
    try {
      this.proto.unpack(buffer, bodyStart + ENVELOPE_BYTES, bodyEnd, message)
    } catch (error) {
      this.refuse(error)
      return
    }
    this.deliver()
  }

  choose(_message: Outgoing, filters: readonly Filter[]): readonly Filter[] {
    return filters
  }

  payload(out: Outgoing, maxMessage: number): Uint8Array | undefined {
    const bytes = this.pack(out)
    if (bytes === undefined) return undefined
    const packed = Buffer.from(bytes as string)
    return packed.length + ENVELOPE_BYTES > maxMessage ? undefined : packed
  }

  seal(_message: Outgoing, filters: readonly Filter[], payload: Uint8Array): Uint8Array {
    const start = ENVELOPE_BYTES + filters.length
    const frame = Buffer.allocUnsafe(start + payload.length)
    frame.writeUInt32BE(frame.length - SIZE_BYTES, 0)
    frame[SIZE_BYTES] = filters.length
    for (let i = 0; i < filters.length; i++) frame[ENVELOPE_BYTES + i] = filters[i].id
    frame.set(payload, start)
    return frame
  }

  open({ buffer, bodyStart, bodyEnd }: Incoming, table: FilterTable): Opened | undefined {
    const start = bodyStart + ENVELOPE_BYTES
    const filters = table.byIds(buffer, start, start + buffer[start - 1])
    if (filters === undefined) return undefined
    return { filters, payload: buffer.subarray(start + filters.length, bodyEnd), finish: this.#finish }
  }

  readonly #finish = (payload: Buffer, into: Incoming): CloseReason => {
    try {
      this.proto.unpack(payload, 0, payload.length, into)
      return this.place(into)
    } catch (error) {
      return (error instanceof ProtoError ? error.reason : undefined) ?? CloseReason.Malformed
    }
  }
}
