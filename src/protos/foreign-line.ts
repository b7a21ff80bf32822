import { isUtf8 } from 'node:buffer'

const CR = 0x0d
const TAB = 0x09
const LF = 0x0a
const DEL = 0x7f
const SPACE = 0x20
const COLON = 0x3a
const HANDSHAKE = 0x16
const TLS = 0x03

/**
 * Whether `bytes[start, end)`, a line without its LF, belongs to HTTP or TLS.
 *
 * Protocols whose messages are lines of text close the connection at such a line, because a web page can make its
 * browser send any body to any port, and the HTTP head before the body is only lines of rubbish to them. The first line
 * of a head ends with the version. `POST` and `Host` are looked for as redis does, in case the lines before were not
 * seen.
 */
export function isForeignLine(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === HANDSHAKE && end - start > 1) return bytes[start + 1] === TLS
  if (spells(bytes, start, end, 'http/') || spells(bytes, start, end, 'post ')) return true
  if (spells(bytes, start, end, 'host') && (bytes[start + 4] === COLON || bytes[start + 4] === SPACE)) return true
  let last = end
  while (last > start && (bytes[last - 1] === CR || bytes[last - 1] === SPACE)) last--
  let word = last
  while (word > start && last - word <= VERSION.length && bytes[word - 1] !== SPACE) word--
  return word > start && last - word === VERSION.length && spells(bytes, word, last, 'http/')
}

/**
 * Whether `bytes[start, end)` is UTF-8 without control characters other than white space: a line that a human may have
 * typed.
 */
export function isTextLine(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const c = bytes[at]
    if ((c < SPACE && c !== TAB && c !== CR && c !== LF) || c === DEL) return false
  }
  return isUtf8(bytes.subarray(start, end))
}

const VERSION = 'HTTP/1.1'

/** Whether `bytes[start, end)` begins with `lower`, in any case. */
function spells(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  if (end - start < lower.length) return false
  for (let i = 0; i < lower.length; i++) {
    const c = bytes[start + i]
    if ((c >= 0x41 && c <= 0x5a ? c | 0x20 : c) !== lower.charCodeAt(i)) return false
  }
  return true
}
