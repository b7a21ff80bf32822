import { getSystemErrorName } from 'node:util'
import { peerCloseDetail } from '../close-code.ts'

/** The detail of a closing by its record: a negative errno, the code that a peer closed its WebSocket with, or 0. */
export function detailOf(number: number): string {
  return number < 0 ? getSystemErrorName(number) : peerCloseDetail(number)
}
