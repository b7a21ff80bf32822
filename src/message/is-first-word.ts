import { FIRST_WORD_SEQ } from './first-word.ts'
import { type Incoming, MessageType } from './message.ts'

/**
 * Whether a message is a first word: an empty REPLY without status and meta. A first word is accepted without required
 * filters.
 */
export function isFirstWord({ type, seq, status, statusStart, statusEnd, metaStart, metaEnd, bodyStart, bodyEnd }: Incoming): boolean {
  const empty = (status === undefined || status.code === 0) && statusStart === statusEnd && metaStart === metaEnd && bodyStart === bodyEnd
  return type === MessageType.Reply && seq === FIRST_WORD_SEQ && empty
}
