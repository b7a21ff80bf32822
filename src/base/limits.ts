/**
 * Every quantity that a peer could abuse, each an endpoint option under `limits`. Sizes are bytes, durations
 * milliseconds. Go limits the size of a message alone, 4 GiB by default (docs/spec/limits.md).
 */
export interface Limits {
  /**
   * Largest frame accepted or sent, in bytes, length prefix included, both with and without its transfer filters. Over
   * it: a peer's session is closed, our own send fails with 104. At most 2,147,483,647.
   * @default 16 MiB
   */
  maxMessage: number
  /**
   * Most transfer filters on one message. Over it: a peer's session is closed before any filter runs, our own send
   * fails with 104.
   * @default 4
   */
  maxFilters: number
  /**
   * Most keys in one message's meta. Over it: the session is closed.
   * @default 256
   */
  maxMetaKeys: number
  /**
   * Deepest nesting of JSON in a body or in meta. Over it: a body is answered with 400, meta closes the session.
   * @default 128
   */
  maxDepth: number
  /**
   * Most bytes queued for one peer that does not read. Over it our calls and pushes fail with 104.
   *
   * Replies are counted apart, up to the same number, so that calls and pushes leave them room. From half of it on the
   * peer's calls and pushes wait: first here, up to as many bytes again, then unread, while its replies to our own
   * calls are still accepted. A reply over the limit closes the session. At most 2,147,483,647.
   * @default 16 MiB
   */
  maxUnsent: number
  /**
   * Most sessions on one endpoint. Over it: new connections are closed at once.
   * @default 1,000,000
   */
  maxSessions: number
  /**
   * Most accepted sessions of one remote address (of IPv6: one /64 network); Unix sockets have none. Over it: new
   * connections of the address are closed at once. The default equals that of `maxSessions`, since behind a proxy all
   * peers have one address.
   * @default 1,000,000
   */
  maxAddressSessions: number
  /**
   * Most connections per second that one remote address makes; as many may arrive at once. Over it: new connections of
   * the address are closed at once. In effect the default is no limit.
   * @default 1,000,000
   */
  maxConnectRate: number
  /**
   * Most CALL and PUSH handlers running for one session. Over it: a CALL is answered with 429; a PUSH waits, and so
   * does what was received after it: up to `maxUnsent` bytes here, then unread, so that the peer has to wait too.
   * @default 10,000
   */
  maxRunning: number
  /**
   * Most handlers running for all sessions together, closed sessions included. Over it: a CALL is answered with 503, a
   * PUSH waits as described at `maxRunning`.
   * @default 100,000
   */
  maxEndpointRunning: number
  /**
   * Most messages per second that one session's peer sends, replies to our calls excluded; as many may arrive at once.
   * Over it: the session is read no faster, whatever the peer sends. In effect the default is no limit, since honest
   * peers send as fast as they are served.
   * @default 1,000,000,000
   */
  maxMessageRate: number
  /**
   * Milliseconds within which a frame must be complete once it has begun, plus the same time again for each 64 KiB
   * received. Over it: the session is closed.
   * @default 10,000
   */
  frameTimeout: number
  /**
   * Most bytes buffered of one session in case its connection is lost: pushes that the peer has not acknowledged,
   * replies to idempotent calls. Over it the oldest are dropped, replies first. The event `gap` reports pushes that are
   * missing after a resume.
   * @default 1 MiB
   */
  maxUnconfirmed: number
  /**
   * Most accepted sessions that wait for their peers to resume them. Over it: the session that has waited longest is
   * closed.
   * @default 1,000
   */
  maxAway: number
  /**
   * Milliseconds that an accepted session whose connection was lost waits for its peer to resume it. After that it is
   * closed.
   * @default 30,000
   */
  resumeTimeout: number
  /**
   * Milliseconds after which a peer that accepts none of the bytes queued for it loses its session.
   * @default 30,000
   */
  writeTimeout: number
}

/** The default of each limit. */
export const defaultLimits: Readonly<Limits> = {
  maxMessage: 16 * 1024 * 1024,
  maxFilters: 4,
  maxMetaKeys: 256,
  maxDepth: 128,
  maxUnsent: 16 * 1024 * 1024,
  maxSessions: 1_000_000,
  maxAddressSessions: 1_000_000,
  maxConnectRate: 1_000_000,
  maxRunning: 10_000,
  maxEndpointRunning: 100_000,
  maxMessageRate: 1_000_000_000,
  frameTimeout: 10_000,
  maxUnconfirmed: 1024 * 1024,
  maxAway: 1_000,
  resumeTimeout: 30_000,
  writeTimeout: 30_000,
}

/**
 * Most service methods that routes of one process (or worker) are registered for; the same name on many endpoints
 * counts once. Over it: RangeError.
 */
export const MAX_ROUTE_NAMES = 1_000_000

/**
 * Most service methods without a route here that calls and pushes keep a number for. Over it: further ones are sent all
 * the same, with their name as text.
 */
export const MAX_CALLED_NAMES = 16_384

/** Raw protocol field widths (docs/spec/wire.md#frame): the method length is a u8, status and meta lengths are u16. */
export const MAX_METHOD_BYTES = 255
export const MAX_STATUS_BYTES = 65_535
export const MAX_META_BYTES = 65_535

/** Most parameters of a form body, the default of Go's net/url. Over it: 400. */
export const MAX_FORM_PARAMETERS = 10_000

/**
 * Most elements and attributes of an XML body, because an empty element of four bytes becomes an object of a hundred.
 * Over it: 400.
 */
export const MAX_XML_NODES = 100_000

/**
 * Most arrays and maps of a msgpack or CBOR body, because an empty one is a single byte and becomes an object. Over it:
 * 400.
 */
export const MAX_CONTAINERS = 1_000_000

/** Most members of a JSON-RPC batch. Over it: the whole batch is answered by one error -32600. */
export const MAX_BATCH = 1_000

/** Longest id of a JSON-RPC request in bytes; the id is kept until the request is answered. Over it: -32600. */
export const MAX_REQUEST_ID_BYTES = 1_024

/** Most elements of one redis command, as in redis itself. Over it: the session is closed. */
export const MAX_COMMAND_ELEMENTS = 1_048_576

/** Longest redis command written as a plain line, in bytes, as in redis itself. Over it: the session is closed. */
export const MAX_INLINE_BYTES = 65_536

/** Longest time in milliseconds that a peer which gave notice may take to close. Over it: the connection is dropped. */
export const MAX_DRAIN = 3_600_000

/**
 * Milliseconds after which a dialled connection counts as stable though it answered no call. When a stable connection
 * is lost, the backoff of redial starts from the beginning.
 */
export const HELD_AFTER = 5_000
