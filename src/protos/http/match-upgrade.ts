const FIELD = /\r\nupgrade:([^\r\n]*)(?=\r\n)/gi
const BEGINNING = 'GET /'

/**
 * Whether the first bytes of a connection ask for a WebSocket; undefined while that is open. Browsers and libraries
 * send `Upgrade` among the first fields. Where it is not among the first bytes, as with many cookies before it, the
 * path decides.
 *
 * @param path that of the WebSocket
 * @param max most bytes that there can be
 */
export function matchUpgrade(bytes: Uint8Array, path: string, max: number): boolean | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (text.length < BEGINNING.length) return BEGINNING.startsWith(text) ? undefined : false
  if (!text.startsWith(BEGINNING)) return false
  const end = text.indexOf('\r\n\r\n')
  const fields = end < 0 ? text : text.slice(0, end + 2)
  for (const [, value] of fields.matchAll(FIELD)) {
    if (value.split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket')) return true
  }
  if (end >= 0) return false
  if (text.length < max) return undefined
  return text.startsWith(`GET ${path}`) && /[ ?]/.test(text.charAt(4 + path.length))
}
