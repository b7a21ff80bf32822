import { isFirstWord } from '../message/first-word.ts'
import type { Incoming } from '../message/message.ts'
import type { PeerLink } from './peer-link.ts'

/** Whether a message is the peer's first word, which only a dmicro peer sends; that is noted. */
export function isPeersFirstWord(message: Incoming, link: PeerLink): boolean {
  if (!isFirstWord(message)) return false
  link.firstWord = true
  return true
}
