import { isUtf8 } from 'node:buffer'
import { MAX_META_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { type Incoming, MessageType } from '../../message/message.ts'
import { findName } from '../../message/names.ts'
import { spells } from '../../wire/bytes.ts'
import { EMPTY_META, OK_STATUS } from '../../wire/raw.ts'
import { ProtoError } from '../proto.ts'
import { FieldReader } from './fields.ts'

const okStatus = Buffer.from(OK_STATUS)
const emptyMeta = Buffer.from(EMPTY_META)

/**
 * Reads the message `bytes[start, end)` (docs/spec/wire.md#protobuf) into `into` as offsets, without making strings or
 * objects. As in protobuf-go, fields may have any order, the last of repeated ones wins, and unknown ones and those of
 * another wire type are ignored.
 *
 * @param maxDepth maximum nesting of ignored groups
 * @throws ProtoError when it is malformed
 */
export function unpackMessage(bytes: Buffer, start: number, end: number, maxDepth: number, into: Incoming): void {
  const fields = new FieldReader(bytes, start, end)
  let type = 0
  into.nameStart = into.nameEnd = start
  while (fields.at < end) {
    const tag = fields.tag()
    switch (tag) {
      case 0x08:
        into.seq = fields.int32()
        break
      case 0x10:
        type = fields.int32() & 0xff
        break
      case 0x1a:
        into.nameEnd = fields.length() + fields.at
        into.nameStart = fields.at
        fields.at = into.nameEnd
        checkUtf8(bytes, into.nameStart, into.nameEnd)
        break
      case 0x22:
        into.statusEnd = fields.length() + fields.at
        into.statusStart = fields.at
        fields.at = into.statusEnd
        break
      case 0x2a:
        into.metaEnd = fields.length() + fields.at
        into.metaStart = fields.at
        fields.at = into.metaEnd
        break
      case 0x30:
        into.codec = fields.int32() & 0xff
        break
      case 0x3a:
        into.bodyEnd = fields.length() + fields.at
        into.bodyStart = fields.at
        fields.at = into.bodyEnd
        break
      default:
        fields.skip(tag, maxDepth)
    }
  }
  complete(bytes, type, into)
}

/**
 * Checks what was found in `bytes`, and fills in what follows from it.
 * @throws ProtoError
 */
export function complete(bytes: Buffer, type: number, into: Incoming): void {
  if (type < MessageType.Call || type > MessageType.AuthReply) throw new ProtoError('unknown message type', CloseReason.Type)
  if (into.statusEnd - into.statusStart > MAX_STATUS_BYTES) throw new ProtoError('status over 64 KiB', CloseReason.Status)
  if (into.metaEnd - into.metaStart > MAX_META_BYTES) throw new ProtoError('meta over 64 KiB', CloseReason.Meta)
  into.buffer = bytes
  into.type = type
  if (into.nameStart !== into.nameEnd) into.route = findName(bytes, into.nameStart, into.nameEnd)
  if (spells(bytes, into.statusStart, into.statusEnd, okStatus)) into.statusStart = into.statusEnd
  if (spells(bytes, into.metaStart, into.metaEnd, emptyMeta)) into.metaStart = into.metaEnd
  arrange(into)
}

/**
 * Checks that a string is UTF-8, because protobuf-go refuses the whole message otherwise
 * (docs/spec/wire.md#service-method).
 */
function checkUtf8(bytes: Buffer, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    if (bytes[i] < 0x80) continue
    if (!isUtf8(bytes.subarray(i, end))) throw new ProtoError('service method that is not UTF-8')
    return
  }
}

/** Puts the ranges into the order that copies of an `Incoming` rely on. Only fields in an unusual order are copied. */
function arrange(into: Incoming): void {
  // An absent field lies where the one before it ends.
  if (into.statusStart === into.statusEnd) into.statusStart = into.statusEnd = into.nameEnd
  if (into.metaStart === into.metaEnd) into.metaStart = into.metaEnd = into.statusEnd
  if (into.bodyStart === into.bodyEnd) into.bodyStart = into.bodyEnd = into.metaEnd
  const { buffer, nameStart, nameEnd, statusStart, statusEnd, metaStart, metaEnd, bodyStart, bodyEnd } = into
  if (nameEnd <= statusStart && statusEnd <= metaStart && metaEnd <= bodyStart) return
  into.buffer = Buffer.concat([
    buffer.subarray(nameStart, nameEnd),
    buffer.subarray(statusStart, statusEnd),
    buffer.subarray(metaStart, metaEnd),
    buffer.subarray(bodyStart, bodyEnd),
  ])
  into.nameStart = 0
  into.nameEnd = into.statusStart = nameEnd - nameStart
  into.statusEnd = into.metaStart = into.statusStart + statusEnd - statusStart
  into.metaEnd = into.bodyStart = into.metaStart + metaEnd - metaStart
  into.bodyEnd = into.buffer.length
}
