// Stands in for `message/status-json.ts`.
import type { DecodedStatus } from '../../message/status-json.ts'

export function encodeStatus(code: number, msg: string, cause: string): string {
  return JSON.stringify({ code, msg: msg.toWellFormed(), cause: cause.toWellFormed() })
}

/** Undefined when it is unreadable. Go escapes as `strconv.Quote` does, so that not all that it sends is JSON. */
export function decodeStatus(text: string): DecodedStatus | undefined {
  try {
    const { code = 0, msg = '', cause = '' } = JSON.parse(text || '{}') ?? {}
    return (code | 0) === code ? { code, message: String(msg), cause: String(cause) } : undefined
  } catch {
    const json = text.replace(/\\(?:x(..)|U(.{8})|(.))/g, inJson)
    return json === text ? undefined : decodeStatus(json)
  }
}

function inJson(whole: string, byte?: string, point?: string, letter?: string): string {
  if (byte !== undefined) return Number.parseInt(byte, 16) < 0x80 ? `\\u00${byte}` : '\\ufffd'
  if (point !== undefined) return JSON.stringify(String.fromCodePoint(Number.parseInt(point, 16))).slice(1, -1)
  return letter === 'a' ? '\\u0007' : letter === 'v' ? '\\u000b' : whole
}
