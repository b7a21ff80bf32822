import { type Limits, MAX_META_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { type Incoming, MessageType } from '../../message/message.ts'
import { decodeMeta } from '../../message/meta.ts'
import { decodeStatus } from '../../message/status-json.ts'
import { EMPTY_META, OK_STATUS } from '../../wire/raw.ts'
import { ProtoError } from '../proto.ts'

/** A value that stands for a number outside its range. */
export const OUT_OF_RANGE = 0x8000_0000

/**
 * Sets the numbers of a message.
 *
 * @throws ProtoError when a number is outside its range
 */
export function setNumbers(message: Incoming, type: number, seq: number, codec: number): void {
  if (type < MessageType.Call || type > MessageType.AuthReply) throw new ProtoError('unknown message type', CloseReason.Type)
  if (seq === OUT_OF_RANGE) throw new ProtoError('seq that is no int32', CloseReason.Seq)
  if (codec < 0 || codec > 255) throw new ProtoError('bodyCodec that is no codec id')
  message.type = type
  message.seq = seq
  message.codec = codec
}

/**
 * Sets the status of a message.
 *
 * @param text status JSON (docs/spec/wire.md#status); undefined when it is unreadable. Go's receiver treats an
 *   unreadable status as OK, which would turn a failure into a success (docs/spec/go-defects.md W2).
 * @throws ProtoError when it is unreadable
 */
export function setStatus(message: Incoming, text: string | undefined, limits: Readonly<Limits>): void {
  if (text === '' || text === OK_STATUS) return
  const status = text === undefined || over(text, MAX_STATUS_BYTES) ? undefined : decodeStatus(text, limits.maxDepth)
  if (status === undefined) throw new ProtoError('unreadable status', CloseReason.Status)
  if (status.code !== 0) message.status = status
}

/**
 * Sets the meta of a message.
 *
 * @param text meta JSON (docs/spec/wire.md#meta); undefined when it is unreadable
 * @throws ProtoError when it is unreadable
 */
export function setMeta(message: Incoming, text: string | undefined, limits: Readonly<Limits>): void {
  if (text === '' || text === EMPTY_META) return
  const meta = text === undefined || over(text, MAX_META_BYTES) ? undefined : decodeMeta(text, limits)
  if (meta === undefined) throw new ProtoError('unreadable meta', CloseReason.Meta)
  message.meta = meta
}

/** Whether `text` has more than `max` bytes of UTF-8. */
export function over(text: string, max: number): boolean {
  return text.length * 3 > max && Buffer.byteLength(text) > max
}
