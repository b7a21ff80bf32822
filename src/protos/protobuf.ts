import type { Limits } from '../base/limits.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { matchEnvelope } from '../wire/cut-envelope.ts'
import type { Proto, ProtoSession } from './proto.ts'
import { packMessage } from './protobuf/pack.ts'
import { unpackMessage } from './protobuf/unpack.ts'

/** Messages as protobuf messages in envelopes, as Go's `pbproto` (docs/spec/wire.md#protobuf). */
export const protobufProto: Proto = {
  id: 0x70,
  name: 'protobuf',
  framing: 'envelope',
  match: (bytes, limits) => matchEnvelope(bytes, limits, isTag),
  open: (link) => new ProtobufSession(link.limits),
}

/** Whether `byte` is the tag of one of the seven fields: numbers 1, 2 and 6 are varints, the others have a length. */
function isTag(byte: number): boolean {
  const field = byte >> 3
  return field >= 1 && field <= 7 && (byte & 7) === (field === 1 || field === 2 || field === 6 ? 0 : 2)
}

class ProtobufSession implements ProtoSession {
  readonly #limits: Readonly<Limits>

  constructor(limits: Readonly<Limits>) {
    this.#limits = limits
  }

  pack(message: Outgoing): Uint8Array {
    return packMessage(message)
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    unpackMessage(bytes, start, end, this.#limits.maxDepth, message)
    return end - start
  }
}
