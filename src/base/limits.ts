/**
 * Every number a peer could abuse, with its default. Each is an endpoint option under `limits`.
 * Sizes are bytes, durations milliseconds. Of these Go has only the size of a message, 4 GiB by default (docs/spec/limits.md).
 */
export interface Limits {
  /**
   * Largest frame accepted or sent, length prefix included, with its transfer filters and without. Over it: a peer's session is closed,
   * our own send fails with 104. At most 2,147,483,647.
   */
  maxMessage: number
  /** Most transfer filters on one message. Over it: a peer's session is closed before any filter runs, our own send fails with 104. */
  maxFilters: number
  /** Most keys in one message's meta. Over it: the session is closed. */
  maxMetaKeys: number
  /** Deepest nesting of JSON in a body or in meta. Over it: a body is answered 400, meta closes the session. */
  maxDepth: number
  /**
   * Most bytes queued for one peer that does not read. Over it our calls and pushes fail with 104. Of replies, which are counted apart so that calls
   * and pushes leave them room, as much: from half of it on what the peer asks waits, here up to as many bytes again and then unread, while
   * its replies to our own calls are taken; over it a reply closes the session. At most 2,147,483,647.
   */
  maxUnsent: number
  /** Most sessions on one endpoint. Over it: new connections are closed at once. */
  maxSessions: number
  /**
   * Most sessions that one remote address (of IPv6: one /64 network) has accepted here; Unix sockets have none. Over it: its connections are
   * closed at once. Default: as many as there may be, since behind a proxy all peers have one address.
   */
  maxAddressSessions: number
  /** Most connections a second that one remote address makes; as many may come at once. Over it: closed at once. Default: in effect none. */
  maxConnectRate: number
  /**
   * Most CALL and PUSH handlers running for one session. Over it: a CALL is answered 429, a PUSH waits, and what comes behind it: up to `maxUnsent` bytes
   * here, then unread, so that its sender waits too.
   */
  maxRunning: number
  /** Most handlers running for all sessions together, also of those that are gone. Over it: a CALL is answered 503, a PUSH waits as above. */
  maxEndpointRunning: number
  /**
   * Most messages a second that one session's peer sends, answers to our calls apart; as many may come at once. Over it: the session is read no faster, whatever
   * the peer sends. Default: in effect none, since honest peers send as fast as they are served.
   */
  maxMessageRate: number
  /** A frame once begun must be complete after this time, plus this time again for each 64 KiB received. */
  frameTimeout: number
  /**
   * Most bytes kept of one session for the case that its connection is lost: pushes the peer has not confirmed, replies to idempotent calls. Over it
   * the oldest are forgotten, replies first; a push that is missing after a resumption is told as a gap.
   */
  maxUnconfirmed: number
  /** Most accepted sessions kept for peers that may come back. Over it: the one that waits longest is closed. */
  maxAway: number
  /** An accepted session whose connection was lost waits so long for its peer to resume it. */
  resumeTimeout: number
  /** A peer that accepts no byte of what is queued for it for this long loses its session. */
  writeTimeout: number
}

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

/** Most service methods that routes of one process (or worker) are registered for; the same name on many endpoints counts once. Over it: RangeError. */
export const MAX_ROUTE_NAMES = 1_000_000

/** Most service methods without a route here that calls and pushes keep a number for. Over it: they are sent as well, and carry the name as text. */
export const MAX_CALLED_NAMES = 16_384

/** Raw protocol field widths (docs/spec/wire.md#frame): the method length is a u8, status and meta lengths are u16. */
export const MAX_METHOD_BYTES = 255
export const MAX_STATUS_BYTES = 65_535
export const MAX_META_BYTES = 65_535

/** Most parameters of a form body, the default of Go's net/url. Over it: 400. */
export const MAX_FORM_PARAMETERS = 10_000

/** Most elements and attributes of an XML body: an empty element of four bytes becomes an object of a hundred. Over it: 400. */
export const MAX_XML_NODES = 100_000

/** Most arrays and maps of a msgpack or CBOR body: an empty one is a single byte and becomes an object. Over it: 400. */
export const MAX_CONTAINERS = 1_000_000

/** Most members of a JSON-RPC batch. Over it: the whole batch is answered by one error -32600. */
export const MAX_BATCH = 1_000

/** Longest id of a JSON-RPC request, which is kept until it is answered. Over it: -32600. */
export const MAX_REQUEST_ID_BYTES = 1_024

/** Most elements of one redis command, as in redis itself. Over it: the session is closed. */
export const MAX_COMMAND_ELEMENTS = 1_048_576

/** Longest redis command written as a plain line, as in redis itself. Over it: the session is closed. */
export const MAX_INLINE_BYTES = 65_536

/** Longest time in milliseconds that a peer which gave notice may take to close. Over it: the connection is dropped. */
export const MAX_DRAIN = 3_600_000

/** A dialled connection has held after so many milliseconds, though it answered no call: then redial begins anew when it is lost. */
export const HELD_AFTER = 5_000
