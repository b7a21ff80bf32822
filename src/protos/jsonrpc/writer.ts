import { MessageType } from '../../message/message.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { goError, standardError } from './errors.ts'
import { JsonBytes } from './json-bytes.ts'

const JSON_CODEC = 106

/** A CALL as Go writes it (docs/spec/wire.md#jsonrpc), byte for byte except for Go's escapes of `<>&`. */
export function callLine(message: Outgoing): string {
  const { seq, metaText } = message
  return `{"jsonrpc":"2.0","method":${quoted(message.method)},"params":${bodyOf(message)},"id":${seq},"context":${metaText || '{}'}}\r\n`
}

/** A PUSH as a notification of the standard. Go has no notifications and writes nothing for a PUSH. */
export function pushLine(message: Outgoing): string {
  const { body, metaText } = message
  const params = body === null || body.length === 0 ? '' : `,"params":${bodyOf(message)}`
  return `{"jsonrpc":"2.0","method":${quoted(message.method)}${params}${metaText === '' ? '' : `,"context":${metaText}`}}\r\n`
}

/**
 * A REPLY without its line end.
 *
 * @param id JSON text
 * @param plain whether the peer does not use Go's dialect: then the reply has a context only when there is meta, and
 *   errors are the standard's
 */
export function reply(message: Outgoing, id: string, plain: boolean): string {
  const { metaText, statusText } = message
  const context = metaText !== '' ? `,"context":${metaText}` : plain ? '' : ',"context":{}'
  if (statusText === '') return `{"jsonrpc":"2.0","id":${id},"result":${bodyOf(message)}${context}}`
  return `{"jsonrpc":"2.0","id":${id}${context},"error":${plain ? standardError(message) : goError(message)}}`
}

/**
 * Returns a body as JSON on one line.
 *
 * @throws TypeError for anything else
 */
function bodyOf({ body, codec, type }: Outgoing): string {
  if (body === null || body.length === 0) return 'null'
  if (codec !== JSON_CODEC) throw new TypeError(`jsonrpc carries bodies of codec json (106) only, not ${codec}`)
  if (typeof body === 'string') return body // the codec's own words: JSON.stringify writes no line breaks
  json.set(body, 0, body.length)
  if (!json.value(Number.POSITIVE_INFINITY) || json.peek() !== -1)
    throw new TypeError(`the bytes of this ${type === MessageType.Reply ? 'result' : 'body'} are not JSON`)
  // JSON allows line breaks only outside of strings, where a space means the same.
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString().replaceAll('\n', ' ')
}

const json = new JsonBytes()

/** A service method as JSON. */
function quoted(method: string): string {
  return plainText.test(method) ? `"${method}"` : JSON.stringify(method.toWellFormed())
}

/** Matches ASCII text that needs no escape. */
const plainText = /^[ !#-[\]-~]*$/
