import { isFirstWord } from '../message/first-word.ts'
import type { Incoming } from '../message/message.ts'
import type { PeerLink } from './peer-link.ts'

/** Links whose peers have sent a first word: dmicro peers that were silent. */
const spoken = new WeakSet<PeerLink>()
const awaited = new WeakMap<PeerLink, () => void>()

/** Whether a message is the peer's first word, which only a dmicro peer sends; that is noted. */
export function isPeersFirstWord(message: Incoming, link: PeerLink): boolean {
  if (!isFirstWord(message)) return false
  spoken.add(link)
  awaited.get(link)?.()
  awaited.delete(link)
  return true
}

/** Whether the peer has sent a first word on this connection. */
export function hasFirstWord(link: PeerLink): boolean {
  return spoken.has(link)
}

/** Calls `run` at the first word, in place of what it was to call before. */
export function atFirstWord(link: PeerLink, run: () => void): void {
  awaited.set(link, run)
}
