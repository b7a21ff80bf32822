/** How a connection's bytes are cut for the layer above. native/wire/framing.h has the same numbers. */
export const Framing = {
  /** Frames of the raw protocol, taken apart. */
  Raw: 0,
  /** Envelopes (`Proto.framing`), whole. */
  Envelope: 1,
  /** Bytes as they come. */
  Stream: 2,
  /** The first bytes, all that came so far, each time more came; nothing is read until `TransportConnection.setFraming` answers. */
  Peek: 3,
} as const
export type Framing = (typeof Framing)[keyof typeof Framing]
