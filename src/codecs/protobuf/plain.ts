import { isMessageType } from '../../message/message-type.ts'
import { isRecord, represented } from '../record.ts'

/** Deepest nesting that is copied: protobufjs refuses deeper messages. */
const MAX_DEPTH = 100

/**
 * `value` with every object in it replaced by the result of its `toJSON`, as JSON.stringify would do; `value` itself
 * where there is none. Messages are left as they are, though they have a `toJSON`: theirs turns bytes and numbers into
 * text.
 */
export function plainOf(value: unknown, key: string | number = '', depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || isMessage(value)) return value
  const given = represented(value, key)
  if (!isRecord(given) && !Array.isArray(given)) return given
  let copy: unknown[] | Record<string, unknown> | undefined
  for (const name of Object.keys(given)) {
    const member = (given as Record<string, unknown>)[name]
    const plain = plainOf(member, name, depth + 1)
    if (plain === member) continue
    copy ??= Array.isArray(given) ? [...given] : Object.assign(Object.create(null), given)
    ;(copy as Record<string, unknown>)[name] = plain
  }
  return copy ?? given
}

function isMessage(value: object): boolean {
  return isMessageType((value as { constructor?: unknown }).constructor) || isMessageType((value as { $type?: unknown }).$type)
}
