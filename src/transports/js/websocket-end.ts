import { isUtf8 } from 'node:buffer'
import { nodeCrypto, nodeZlib } from '../../base/builtin.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { Framing } from '../../wire/framing.ts'
import { CloseCode } from '../../wire/websocket/close-code.ts'
import { COMPRESSED, Opcode } from '../../wire/websocket/frame.ts'
import { Event, FrameReader } from '../../wire/websocket/reader.ts'
import type { WebSocketSettings } from '../websocket-settings.ts'

/** Bytes of a message from which on it is compressed, where that was agreed on. */
const MIN_COMPRESSED = 1024
/** The end of a compressed message, which is not sent (RFC 7692 §7.2.1). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff])
/**
 * Bytes inflated after which the rest of a chunk waits for the next turn: a few bytes may become many, and one peer
 * must not hold the loop. Each message counts as more by what inflating it costs at least.
 */
const MAX_INFLATED = 1024 * 1024
const INFLATE_COST = 4096
/** Smallest memory of an unfinished message. */
const MIN_HELD = 4096
const MASK_POOL_BYTES = 8192
const empty = Buffer.alloc(0)

let masks = Buffer.alloc(0)
let maskAt = 0

/** Answers what a peer sends besides messages. */
export interface WebSocketOwner {
  /** Sends a pong with this payload, borrowed during the call. */
  onPing(payload: Buffer): void
}

/** The WebSocket of one connection: decodes what is received, and knows how to send. */
export class WebSocketEnd {
  readonly client: boolean
  /** Number of messages that were received whole: distinguishes unfinished ones. */
  messages = 0
  /** Bytes of messages that were received. */
  payload = 0
  /** Code that the peer closed with, or that it must be told; 0 while the WebSocket is open. */
  closeCode = 0
  /** Why the connection must be closed; undefined when the peer closed it. */
  broken: CloseReason | undefined = undefined
  /** Result of `decode`: `bytes[0, length)`. */
  bytes: Buffer = empty
  length = 0
  /** Received bytes that wait to be decoded in the next turn. */
  rest: Buffer = empty
  readonly #owner: WebSocketOwner
  readonly #reader: FrameReader
  readonly #maxMessage: number
  readonly #compression: boolean
  readonly #opcode: Opcode
  /** Whether a message is passed on when it is whole, behind its length (`Framing.Message`). */
  readonly #whole: boolean
  #held = empty
  #heldSize = 0
  #found: Buffer[] = []
  /** Bytes inflated in this call of `decode`. */
  #inflated = 0
  #dropped = false

  constructor(settings: WebSocketSettings, maxMessage: number, framing: Framing, owner: WebSocketOwner) {
    const { client, text, compression } = settings
    this.client = client
    this.#owner = owner
    this.#reader = new FrameReader({ masked: !client, compression, maxMessage })
    this.#maxMessage = maxMessage
    this.#compression = compression
    this.#opcode = text ? Opcode.Text : Opcode.Binary
    this.#whole = framing === Framing.Message
  }

  /** Bytes of a message that is not complete, at least 1 when one was begun. */
  get partial(): number {
    return this.#reader.unfinished ? this.#heldSize + 1 : 0
  }

  /** Keeps bytes until those before them are decoded. */
  wait(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes])
  }

  /** Takes no message any more, and inflates none. */
  drop(): void {
    this.#dropped = true
  }

  /**
   * Decodes `chunk[0, length)` in place. The result is borrowed like the chunk. Requires that nothing waits, and may
   * leave a `rest`.
   */
  decode(chunk: Buffer, length: number): void {
    const reader = this.#reader
    reader.at = reader.out = 0
    this.length = this.#inflated = 0
    if (this.closeCode !== 0) return
    const copies = this.#whole || this.#compression
    let start = 0
    let event: Event
    while ((event = reader.read(chunk, length)) !== Event.More) {
      if (event === Event.Message) {
        this.messages++
        if (copies && !this.#endMessage(chunk.subarray(start, reader.out))) break
        start = reader.out
        if (this.#inflated >= MAX_INFLATED) {
          this.rest = Buffer.from(chunk.subarray(reader.at, length))
          break
        }
      } else if (event === Event.Ping) {
        this.#owner.onPing(reader.control)
      } else if (event !== Event.Pong) {
        this.closeCode = reader.closeCode
        if (event === Event.Bad) this.broken = reader.closeCode === CloseCode.TooLarge ? CloseReason.TooLarge : CloseReason.Malformed
        break
      }
    }
    if (!copies) {
      this.bytes = chunk
      this.length = reader.out
    } else {
      if (this.closeCode === 0) this.#hold(chunk.subarray(start, reader.out))
      this.bytes = this.#found.length === 1 ? this.#found[0] : Buffer.concat(this.#found)
      this.length = this.bytes.length
      this.#found = []
    }
    this.payload += reader.out
  }

  /** Passes a message on. False when its bytes are refused. */
  #endMessage(rest: Buffer): boolean {
    let message = rest
    if (this.#heldSize > 0) {
      this.#hold(rest)
      message = this.#held.subarray(0, this.#heldSize)
      this.#held = empty
      this.#heldSize = 0
    }
    if (this.#dropped) return true
    if (this.#reader.compressed) {
      const inflated = this.#inflate(message)
      if (inflated === undefined) return false
      this.#inflated += inflated.length + INFLATE_COST
      message = inflated
    }
    if (this.#whole) {
      const head = Buffer.allocUnsafe(4)
      head.writeUInt32BE(message.length)
      this.#found.push(head)
    }
    this.#found.push(message)
    return true
  }

  #hold(bytes: Buffer): void {
    const size = this.#heldSize + bytes.length
    if (size > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(MIN_HELD, size * 2))
      this.#held.copy(larger, 0, 0, this.#heldSize)
      this.#held = larger
    }
    bytes.copy(this.#held, this.#heldSize)
    this.#heldSize = size
  }

  #inflate(message: Buffer): Buffer | undefined {
    const { inflateRawSync, constants } = nodeZlib()
    try {
      const maxOutputLength = this.#maxMessage
      const bytes = inflateRawSync(Buffer.concat([message, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength })
      if (!this.#reader.text || isUtf8(bytes)) return bytes
      this.closeCode = CloseCode.NotText
    } catch (error) {
      this.closeCode = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? CloseCode.TooLarge : CloseCode.NotText
    }
    this.broken = this.closeCode === CloseCode.TooLarge ? CloseReason.TooLarge : CloseReason.Malformed
    return undefined
  }

  /** The mask of the next frame; undefined when this side sends none. */
  mask(): number | undefined {
    if (!this.client) return undefined
    if (maskAt === masks.length) {
      masks = nodeCrypto().randomBytes(MASK_POOL_BYTES)
      maskAt = 0
    }
    maskAt += 4
    return masks.readInt32BE(maskAt - 4)
  }

  /** First byte of a message's frame, without FIN. */
  first(compressed: boolean): number {
    return compressed ? this.#opcode | COMPRESSED : this.#opcode
  }

  /** The message compressed; undefined when that is not agreed on or not worth it. */
  deflate(message: Buffer): Buffer | undefined {
    if (!this.#compression || message.length < MIN_COMPRESSED) return undefined
    const { deflateRawSync, constants } = nodeZlib()
    const bytes = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH })
    return bytes.length - TAIL.length < message.length ? bytes.subarray(0, bytes.length - TAIL.length) : undefined
  }
}
