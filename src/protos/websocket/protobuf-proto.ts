import { isUtf8 } from 'node:buffer'
import { type Limits, MAX_META_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import type { Incoming } from '../../message/message.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { EMPTY_META, OK_STATUS } from '../../wire/raw.ts'
import { ProtoError, type ProtoSession } from '../proto.ts'
import { FieldReader } from '../protobuf/fields.ts'
import { complete } from '../protobuf/unpack.ts'
import { type MessageProto, setLostStatus } from './message-proto.ts'

/**
 * Messages as protobuf messages, as Go's WebSocket mixer sends them (docs/spec/wire.md#websocket), without filters. Go
 * has no status here; ours is field 8, which Go ignores.
 */
export const webSocketProtobuf: MessageProto = {
  id: 0x70,
  name: 'protobuf',
  framing: 'message',
  open: ({ limits }) => new ProtobufMessages(limits),
}

const none = Buffer.alloc(0)

class ProtobufMessages implements ProtoSession {
  readonly #limits: Readonly<Limits>

  constructor(limits: Readonly<Limits>) {
    this.#limits = limits
  }

  pack(message: Outgoing): Uint8Array {
    const { type, seq, codec, statusText, metaText, method, body } = message
    const bytes = body === null ? none : typeof body === 'string' ? Buffer.from(body) : body
    const told = statusText !== '' || (codec === 0 && bytes.length === 0)
    return Buffer.concat([
      number(0x08, seq),
      number(0x10, type),
      field(0x1a, Buffer.from(method)),
      field(0x22, limited(metaText || EMPTY_META, MAX_META_BYTES, 'meta')),
      number(0x28, codec),
      field(0x32, bytes),
      field(0x42, told ? limited(statusText || OK_STATUS, MAX_STATUS_BYTES, 'status') : none),
    ])
  }

  unpack(bytes: Buffer, start: number, end: number, into: Incoming): number {
    const fields = new FieldReader(bytes, start, end)
    let type = 0
    let told = false
    into.nameStart = into.nameEnd = start
    while (fields.at < end) {
      const tag = fields.tag()
      if (tag === 0x08) into.seq = fields.int32()
      else if (tag === 0x10) type = fields.int32() & 0xff
      else if (tag === 0x28) into.codec = fields.int32() & 0xff
      else if (tag === 0x1a || tag === 0x22 || tag === 0x32 || tag === 0x42) {
        const length = fields.length()
        const from = fields.at
        fields.at += length
        if (tag === 0x1a) setName(bytes, from, fields.at, into)
        else if (tag === 0x22) [into.metaStart, into.metaEnd] = [from, fields.at]
        else if (tag === 0x32) [into.bodyStart, into.bodyEnd] = [from, fields.at]
        else [into.statusStart, into.statusEnd, told] = [from, fields.at, true]
      } else {
        fields.skip(tag, this.#limits.maxDepth)
      }
    }
    complete(bytes, type, into)
    if (!told) setLostStatus(into)
    return end - start
  }
}

function setName(bytes: Buffer, start: number, end: number, into: Incoming): void {
  if (!isUtf8(bytes.subarray(start, end))) throw new ProtoError('service method that is not UTF-8')
  into.nameStart = start
  into.nameEnd = end
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}

/** An int32: nothing for 0, ten bytes for a negative number, whose sign fills 64 bits. */
function number(tag: number, value: number): Buffer {
  if (value === 0) return none
  if (value > 0) return Buffer.from([tag, ...varint(value)])
  const low = varint(value >>> 0)
  return Buffer.from([tag, ...low.slice(0, 4), low[4] | 0xf0, 0xff, 0xff, 0xff, 0xff, 1])
}

function field(tag: number, bytes: Uint8Array): Buffer {
  return bytes.length === 0 ? none : Buffer.concat([Buffer.from([tag, ...varint(bytes.length)]), bytes])
}

function limited(text: string, max: number, what: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > max) throw new RangeError(`${what} is over ${max} bytes`)
  return bytes
}
