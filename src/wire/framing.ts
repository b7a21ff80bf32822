/** How a connection's bytes are cut for the layer above. native/wire/framing.h has the same numbers. */
export const Framing = {
  /** Frames of the raw protocol, parsed. */
  Raw: 0,
  /** Envelopes (`Proto.framing`), unparsed. */
  Envelope: 1,
  /** Bytes as they are received. */
  Stream: 2,
  /**
   * All bytes received so far, shown again whenever more are received. Nothing more is read until
   * `TransportConnection.setFraming` is called.
   */
  Peek: 3,
  /** Whole messages of a WebSocket, unparsed. */
  Message: 4,
} as const
export type Framing = (typeof Framing)[keyof typeof Framing]
