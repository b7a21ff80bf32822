/** How a connection speaks WebSocket, once its handshake is done. */
export interface WebSocketSettings {
  /** Whether this side dialled: its frames are masked, and those of the peer are not. */
  readonly client: boolean
  /** Whether messages are sent as text. Text and binary messages are accepted alike. */
  readonly text: boolean
  /** Whether permessage-deflate was agreed on, without context takeover on both sides. JavaScript transport only. */
  readonly compression: boolean
}
