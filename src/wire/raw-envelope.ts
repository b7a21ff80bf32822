import type { CloseReason } from '../message/close-reason.ts'
import type { Incoming } from '../message/message.ts'
import type { Envelope } from './envelope.ts'
import { HEADER_BYTES, RAW_VERSION } from './raw.ts'
import { frameSize, packFrame } from './raw-pack.ts'
import { unpackFields } from './raw-unpack.ts'

/** Envelope of the raw protocol: filters apply to everything after their ids (docs/spec/wire.md#frame). */
export const rawEnvelope: Envelope = {
  choose: (_message, filters) => filters,

  payload({ type, seq, method, statusText, metaText, codec, body }, maxMessage) {
    const name = Buffer.from(method)
    const size = frameSize(seq, name, statusText, metaText, body)
    if (size === -1 || size > maxMessage) return undefined
    const frame = Buffer.allocUnsafe(size)
    packFrame(frame, 0, seq, type, name, statusText, metaText, codec, body)
    return frame.subarray(HEADER_BYTES)
  },

  seal(_message, filters, payload) {
    const start = HEADER_BYTES + filters.length
    const frame = Buffer.allocUnsafe(start + payload.length)
    frame.writeUInt32BE(frame.length, 0)
    frame[4] = RAW_VERSION
    frame[5] = filters.length
    for (let i = 0; i < filters.length; i++) frame[HEADER_BYTES + i] = filters[i].id
    frame.set(payload, start)
    return frame
  },

  open({ buffer, bodyStart, bodyEnd }, table) {
    const start = bodyStart + HEADER_BYTES
    const filters = table.byIds(buffer, start, start + buffer[start - 1])
    if (filters === undefined) return undefined
    return { filters, payload: buffer.subarray(start + filters.length, bodyEnd), finish }
  },
}

function finish(payload: Buffer, into: Incoming): CloseReason {
  return -unpackFields(payload, 0, payload.length, into) as CloseReason
}
