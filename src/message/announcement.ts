/**
 * What two of our endpoints tell each other beyond Go's protocol (docs/extensions.md): meta keys that a Go peer ignores, and routes that are used only once
 * the peer has announced that it knows them.
 */

/** Key of the announcement, in the meta of the first CALL or PUSH on a connection. The answer is a push to `/dmicro/hello`. */
export const ANNOUNCEMENT_KEY = 'X-Dmicro'
/** Milliseconds that the caller still waits, 0 when it waits for ever. Absent: what its announcement says. */
export const TIMEOUT_KEY = 'X-Dmicro-Timeout'

/**
 * Of a call that must not run twice: its key, and the lowest key that is not settled, in base 36: `2s.2k`. Repetitions on later connections have the
 * same key.
 */
export const ONCE_KEY = 'X-Dmicro-Once'
/** In the meta of a REPLY of failure: the call never began, and may be made again after so many milliseconds. */
export const RETRY_AFTER_KEY = 'X-Retry-After'

/** Number and length of fields and names read of a peer's announcement. */
const MAX_LENGTH = 1024
const MAX_TIMEOUT = 2 ** 31 - 1

export interface Announcement {
  /**
   * Sequence number of the message that announced: a proxy forwards meta, but under a number of its own, so that what it forwards announces nothing.
   * In a hello: that of the message it answers.
   */
  readonly announcementSeq: number
  /** Deadline in milliseconds of calls that name none; 0 when the endpoint's user named none. */
  readonly timeout: number
  /** Filters that every message to this side must go through. */
  readonly filters: readonly string[]
}

/** `1;hop=k3x9;timeout=5000;filters=aes+gzip`: a version, then fields in any order; unknown ones are for later versions. */
export function encodeAnnouncement({ announcementSeq: hop, timeout, filters }: Announcement): string {
  let text = `1;hop=${hop.toString(36)}`
  if (timeout > 0) text += `;timeout=${Math.ceil(timeout)}`
  if (filters.length > 0) text += `;filters=${filters.map(encodeURIComponent).join('+')}`
  return text
}

/** Undefined when it is none of a version we know, or malformed: then the peer is a stranger. */
export function decodeAnnouncement(text: unknown): Announcement | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined
  const [version, ...fields] = text.split(';')
  if (version !== '1') return undefined
  const values = new Map(fields.map((field) => splitField(field)))
  const hop = Number.parseInt(values.get('hop') ?? '', 36)
  const timeout = readTimeout(values.get('timeout') ?? '0')
  const filters = readNames(values.get('filters'))
  return Number.isSafeInteger(hop) && timeout !== undefined && filters !== undefined
    ? { announcementSeq: hop, timeout, filters }
    : undefined
}

/** Whole milliseconds, as in `TIMEOUT_KEY`; undefined when it is none. */
export function readTimeout(text: string): number | undefined {
  return /^[0-9]{1,10}$/.test(text) ? Math.min(Number(text), MAX_TIMEOUT) : undefined
}

function splitField(field: string): [string, string] {
  const at = field.indexOf('=')
  return at < 0 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)]
}

function readNames(text: string | undefined): string[] | undefined {
  if (text === undefined) return []
  try {
    return text.split('+').map(decodeURIComponent)
  } catch {
    return undefined
  }
}
