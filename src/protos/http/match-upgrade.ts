const HEADER = /\r\nupgrade:[ \t]*websocket[ \t]*\r\n/i
const BEGINNING = 'GET /'

/**
 * Whether the first bytes of a connection ask for a WebSocket; undefined while that is open. Browsers and libraries
 * send `Upgrade` among the first fields, so that many cookies make no difference.
 */
export function matchUpgrade(bytes: Uint8Array): boolean | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (text.length < BEGINNING.length) return BEGINNING.startsWith(text) ? undefined : false
  if (!text.startsWith(BEGINNING)) return false
  if (HEADER.test(text)) return true
  return text.includes('\r\n\r\n') ? false : undefined
}
