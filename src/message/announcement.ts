/**
 * Extensions that dmicro endpoints announce to each other beyond Go's protocol (docs/extensions.md): meta keys that a
 * Go peer ignores, and routes that are used only once the peer has announced that it supports them.
 */

/** Meta key of the announcement, in the first CALL or PUSH on a connection. The answer is a push to `/dmicro/hello`. */
export const ANNOUNCEMENT_KEY = 'X-Dmicro'
/**
 * Meta key of a CALL: milliseconds that the caller still waits; 0 when it waits forever. Absent: the timeout of the
 * caller's announcement applies.
 */
export const TIMEOUT_KEY = 'X-Dmicro-Timeout'

/**
 * Meta key of a call that must not run twice: the call's key, and the lowest key that is not settled, in base 36:
 * `2s.2k`. A retry on a later connection has the same key.
 */
export const ONCE_KEY = 'X-Dmicro-Once'
/**
 * Meta key of a REPLY that failed: the handler was never started, and the call may be retried after this many
 * milliseconds.
 */
export const RETRY_AFTER_KEY = 'X-Retry-After'

/** Longest announcement that is read, in UTF-16 units. */
const MAX_LENGTH = 1024
const MAX_TIMEOUT = 2 ** 31 - 1

/** Contents of an announcement to the peer of one connection. */
export interface Announcement {
  /**
   * Sequence number of the announcing message. A proxy forwards meta under a sequence number of its own, so a forwarded
   * announcement does not match and is ignored. In a hello: sequence number of the message that the hello answers.
   */
  readonly announcementSeq: number
  /** Deadline in milliseconds of calls that have no `TIMEOUT_KEY`; 0 when the endpoint has no default. */
  readonly timeout: number
  /** Names of the filters that every message to the announcing side must go through. */
  readonly filters: readonly string[]
}

/**
 * The text of an announcement, such as `1;hop=k3x9;timeout=5000;filters=aes+gzip`: a version, then fields in any order.
 * Unknown fields are ignored, for later versions.
 */
export function encodeAnnouncement({ announcementSeq: hop, timeout, filters }: Announcement): string {
  let text = `1;hop=${hop.toString(36)}`
  if (timeout > 0) text += `;timeout=${Math.ceil(timeout)}`
  if (filters.length > 0) text += `;filters=${filters.map(encodeURIComponent).join('+')}`
  return text
}

/** Reads an announcement. Undefined when it is malformed or of an unknown version: then the peer has no extensions. */
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

/** Reads whole milliseconds, as in `TIMEOUT_KEY`; undefined when `text` is malformed. */
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
