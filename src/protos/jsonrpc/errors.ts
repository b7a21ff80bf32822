import { Code } from '../../base/errors/status.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import type { DecodedStatus } from '../../message/status-json.ts'

/** Error codes of the standard. */
const RpcCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
} as const

/** Replies to lines in which no id can be found. */
export const parseError = refusal('null', RpcCode.ParseError, 'Parse error')

/**
 * Makes the reply to an object that is no request.
 *
 * @param id JSON text
 */
export function invalidRequest(id: string): string {
  return refusal(id, RpcCode.InvalidRequest, 'Invalid Request')
}

function refusal(id: string, code: number, message: string): string {
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"${message}"}}`
}

/**
 * Makes the error member for a Go peer. The code is DMicro's, the text is the message, or the cause if that is empty.
 * `data` must be null: Go decodes anything else into the result, and a status that does not fit there becomes a 400
 * (docs/spec/wire.md#jsonrpc).
 */
export function goError({ status, statusText }: Outgoing): string {
  const { code, message, cause } = status ?? unreadable(statusText)
  return `{"code":${code},"message":${quote(message || cause)},"data":null}`
}

/** Makes the error member for all other peers: the standard's code, and the whole status as data. */
export function standardError({ status, statusText }: Outgoing): string {
  const { code, message, cause } = status ?? unreadable(statusText)
  return `{"code":${toRpc.get(code) ?? code},"message":${quote(message || cause)},"data":${statusText}}`
}

/**
 * Decodes a received error member. The result is never OK, because an unreadable error is an error too
 * (docs/spec/go-defects.md W2).
 *
 * @param error JSON text
 */
export function statusOf(error: string): DecodedStatus {
  const parsed: unknown = JSON.parse(error)
  if (typeof parsed !== 'object' || parsed === null) return { code: Code.UnknownError, message: textOf(parsed), cause: '' }
  const { code, message } = parsed as { code?: unknown; message?: unknown }
  const known = typeof code === 'number' && (code | 0) === code && code !== 0 ? code : Code.UnknownError
  return { code: fromRpc.get(known) ?? known, message: textOf(message), cause: '' }
}

const toRpc = new Map<number, number>([
  [Code.NotFound, RpcCode.MethodNotFound],
  [Code.BadMessage, RpcCode.InvalidParams],
  [Code.InternalServerError, RpcCode.InternalError],
])

const fromRpc = new Map<number, number>([
  [RpcCode.MethodNotFound, Code.NotFound],
  [RpcCode.ParseError, Code.BadMessage],
  [RpcCode.InvalidRequest, Code.BadMessage],
  [RpcCode.InvalidParams, Code.BadMessage],
  [RpcCode.InternalError, Code.InternalServerError],
])

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.toWellFormed() : ''
}

function quote(text: string): string {
  return JSON.stringify(text.toWellFormed())
}

function unreadable(text: string): never {
  throw new TypeError(`no status: ${text.slice(0, 64)}`)
}
