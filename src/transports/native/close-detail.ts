import { getSystemErrorName } from 'node:util'
import { peerCloseDetail } from '../close-code.ts'
import { NO_CLOSE_NOTIFY } from '../tls/tls-facts.ts'

/** libuv's number for the end of a file. A connection has it when its peer's FIN came before the end of its TLS. */
const UV_EOF = -4095

/** The detail of a closing by its record: a negative errno, the code that a peer closed its WebSocket with, or 0. */
export function detailOf(number: number): string {
  if (number === UV_EOF) return NO_CLOSE_NOTIFY
  return number < 0 ? getSystemErrorName(number) : peerCloseDetail(number)
}
