import type { Limits } from '../base/limits.ts'
import { bodyText } from '../codecs/codec.ts'
import { CloseReason } from '../message/close-reason.ts'
import { type Incoming, TextHint } from '../message/message.ts'
import { decodeMeta, type Meta, noMeta } from '../message/meta.ts'
import { type DecodedStatus, decodeStatus } from '../message/status-json.ts'
import type { Channel } from './channel.ts'

/**
 * Reads the meta of a message received on `channel`.
 *
 * @returns undefined when it is unreadable: the channel then fails
 */
export function readMeta(message: Incoming, channel: Channel, limits: Readonly<Limits>): Meta | undefined {
  if (message.meta !== undefined) return message.meta
  if (message.metaStart === message.metaEnd) return noMeta
  const meta = decodeMeta(bodyText(message.buffer, message.metaStart, message.metaEnd, TextHint.Nothing), limits)
  if (meta === undefined) channel.fail(CloseReason.Meta)
  return meta
}

/**
 * Reads the status of a message.
 *
 * @returns undefined when it is unreadable
 */
export function readStatus(message: Incoming, limits: Pick<Limits, 'maxDepth'>): DecodedStatus | undefined {
  if (message.status !== undefined) return message.status
  return decodeStatus(bodyText(message.buffer, message.statusStart, message.statusEnd, TextHint.Nothing), limits.maxDepth)
}
