import { writeInteger } from '../../base/text/write-integer.ts'
import { writeAscii } from '../../base/text/write-text.ts'
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

/** Bytes of a line besides its method and body. */
const LINE_ROOM = 96
const replyStart = Buffer.from('{"jsonrpc":"2.0","id":')
const callStart = Buffer.from('{"jsonrpc":"2.0","method":"')
const contextEnd = Buffer.from(',"context":{}}\r\n')

/** Writes what `callLine` returns for a call without meta whose body is still to be encoded; -1 when it cannot. */
export function writeCall(message: Outgoing, target: Buffer, start: number, end: number): number {
  const { method, seq } = message
  if (!plainText.test(method) || start + method.length + LINE_ROOM > end) return -1
  target.set(callStart, start)
  let at = writeAscii(target, method, start + callStart.length)
  at = writeAscii(target, '","params":', at)
  at = writeBody(message, target, at, end)
  if (at < 0) return -1
  at = writeAscii(target, ',"id":', at)
  at = writeInteger(target, seq, at)
  target.set(contextEnd, at)
  return at + contextEnd.length
}

/** Writes what `reply` returns, with its line end, for an OK reply without meta whose body is still to be encoded. */
export function writeReply(message: Outgoing, plain: boolean, target: Buffer, start: number, end: number): number {
  if (start + LINE_ROOM > end) return -1
  target.set(replyStart, start)
  let at = writeInteger(target, message.seq, start + replyStart.length)
  at = writeAscii(target, ',"result":', at)
  at = writeBody(message, target, at, end)
  if (at < 0) return -1
  if (plain) return writeAscii(target, '}\r\n', at)
  target.set(contextEnd, at)
  return at + contextEnd.length
}

function writeBody(message: Outgoing, target: Buffer, at: number, end: number): number {
  return message.codec === JSON_CODEC ? message.write(target, at, end - LINE_ROOM) : -1
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
