import { CloseCode } from './close-code.ts'
import { applyMask, COMPRESSED, FIN, isCloseCode, MASK_BIT, MAX_CONTROL_BYTES, Opcode } from './frame.ts'
import { Utf8Check } from './utf8.ts'

/** Limits of the frames that a peer may send. */
export interface FrameRules {
  /** Whether frames must be masked, as those of a client; otherwise they must not be. */
  readonly masked: boolean
  /** Whether permessage-deflate was agreed on. */
  readonly compression: boolean
  /** Most bytes of all fragments of one message. */
  readonly maxMessage: number
}

export const Event = {
  /** All bytes are used up. */
  More: 0,
  /** A message ends with the payload so far. */
  Message: 1,
  /** `control` is the payload to answer with. */
  Ping: 2,
  Pong: 3,
  /** `closeCode` is that of the peer. */
  Close: 4,
  /** `closeCode` is the one to answer with. */
  Bad: 5,
} as const
export type Event = (typeof Event)[keyof typeof Event]

/** Most fragments of one message: each costs time, though none costs memory. */
export const MAX_FRAGMENTS = 131_072

const RESERVED = 0x70
const none = Buffer.alloc(0)

/**
 * Reads the frames of one connection, the twin of native/wire/websocket_reader.h. The payload of messages is moved to
 * the front of the bytes that were received, where it always fits. No message is kept here, however many fragments it
 * has.
 */
export class FrameReader {
  /** The next byte to read, and where the next byte of payload goes. The caller sets both before new bytes. */
  at = 0
  out = 0
  /** Payload of the control frame that was just reported. */
  control: Buffer = none
  closeCode = 0
  /** Whether the message that is read, or was just reported, is text, and whether it is compressed. */
  text = false
  compressed = false
  readonly #rules: FrameRules
  readonly #header = Buffer.alloc(14)
  #headerSize = 0
  #mask = 0
  #phase = 0
  #opcode = 0
  /** Payload bytes of the current frame that are missing. */
  #left = 0
  /** Payload bytes of the current message, with those that are announced, and its frames. */
  #message = 0
  #fragments = 0
  #controlSize = 0
  #inFrame = false
  #inMessage = false
  #final = false
  #masked = false
  readonly #utf8 = new Utf8Check()

  constructor(rules: FrameRules) {
    this.#rules = rules
  }

  /** Whether a frame or a message was begun. */
  get unfinished(): boolean {
    return this.#headerSize !== 0 || this.#inFrame || this.#inMessage
  }

  /**
   * Uses up `bytes[at, end)`, moves payload to `bytes[out, …)`, and advances both, up to the first event. Must not be
   * called again after Close or Bad.
   */
  read(bytes: Uint8Array, end: number): Event {
    for (;;) {
      if (!this.#inFrame) {
        const header = this.#header
        let wanted = this.#headerSize < 2 ? 2 : sizeOf(header[1])
        while (this.at < end && this.#headerSize < wanted) {
          header[this.#headerSize++] = bytes[this.at++]
          if (this.#headerSize === 2) wanted = sizeOf(header[1])
        }
        if (this.#headerSize < wanted) return Event.More
        this.#headerSize = 0
        if (!this.#readHeader()) return Event.Bad
      }
      if (this.#opcode >= Opcode.Close) return this.#readControl(bytes, end)
      const size = Math.min(this.#left, end - this.at)
      const { at, out } = this
      if (out !== at && size > 0) bytes.copyWithin(out, at, at + size)
      if (this.#masked) {
        applyMask(bytes, out, out + size, this.#mask, this.#phase)
        this.#phase = (this.#phase + size) & 3
      }
      if (this.text && !this.compressed && !this.#utf8.add(bytes, out, out + size)) return this.#fail(CloseCode.NotText)
      this.at += size
      this.out += size
      this.#left -= size
      if (this.#left !== 0) return Event.More
      this.#inFrame = false
      if (!this.#final) continue
      this.#inMessage = false
      if (this.text && !this.compressed && !this.#utf8.finish()) return this.#fail(CloseCode.NotText)
      return Event.Message
    }
  }

  #fail(code: number): Event {
    this.closeCode = code
    return Event.Bad
  }

  #readHeader(): boolean {
    const header = this.#header
    const length = header[1] & 0x7f
    let next = 2
    this.#masked = (header[1] & MASK_BIT) !== 0
    this.#opcode = header[0] & 0x0f
    this.#final = (header[0] & FIN) !== 0
    this.#left = length
    let huge = false
    if (length === 126) {
      this.#left = header.readUInt16BE(next)
      next += 2
    } else if (length === 127) {
      const high = header.readUInt32BE(next)
      huge = high >= 2 ** 31
      this.#left = high * 2 ** 32 + header.readUInt32BE(next + 4)
      next += 8
    }
    if (this.#masked) this.#mask = header.readInt32BE(next)
    this.#phase = 0
    const reserved = header[0] & RESERVED
    const { masked, compression, maxMessage } = this.#rules
    if (this.#masked !== masked) return this.#refuse(CloseCode.ProtocolError)
    if (this.#opcode >= Opcode.Close) {
      const known = this.#opcode <= Opcode.Pong
      if (!known || reserved !== 0 || !this.#final || this.#left > MAX_CONTROL_BYTES) return this.#refuse(CloseCode.ProtocolError)
      this.control = this.#left === 0 ? none : Buffer.allocUnsafe(this.#left)
      this.#controlSize = 0
    } else {
      const begins = this.#opcode !== Opcode.Continuation
      if (this.#opcode > Opcode.Binary || begins === this.#inMessage) return this.#refuse(CloseCode.ProtocolError)
      if (reserved !== 0 && (reserved !== COMPRESSED || !begins || !compression)) return this.#refuse(CloseCode.ProtocolError)
      if (begins) {
        this.text = this.#opcode === Opcode.Text
        this.compressed = reserved !== 0
        this.#message = this.#fragments = 0
      }
      if (huge) return this.#refuse(CloseCode.ProtocolError)
      if (this.#message + this.#left > maxMessage) return this.#refuse(CloseCode.TooLarge)
      if (++this.#fragments > MAX_FRAGMENTS) return this.#refuse(CloseCode.Policy)
      this.#message += this.#left
      this.#inMessage = true
    }
    this.#inFrame = true
    return true
  }

  #refuse(code: number): false {
    this.closeCode = code
    return false
  }

  #readControl(bytes: Uint8Array, end: number): Event {
    const size = Math.min(this.#left, end - this.at)
    const start = this.#controlSize
    this.control.set(bytes.subarray(this.at, this.at + size), start)
    if (this.#masked) applyMask(this.control, start, start + size, this.#mask, start & 3)
    this.#controlSize += size
    this.at += size
    this.#left -= size
    if (this.#left !== 0) return Event.More
    this.#inFrame = false
    if (this.#opcode === Opcode.Ping) return Event.Ping
    if (this.#opcode === Opcode.Pong) return Event.Pong
    return this.#readClose()
  }

  #readClose(): Event {
    const { control } = this
    this.closeCode = CloseCode.None
    if (control.length === 0) return Event.Close
    if (control.length === 1) return this.#fail(CloseCode.ProtocolError)
    const code = control.readUInt16BE(0)
    if (!isCloseCode(code)) return this.#fail(CloseCode.ProtocolError)
    const reason = new Utf8Check()
    if (!reason.add(control, 2, control.length) || !reason.finish()) return this.#fail(CloseCode.NotText)
    this.closeCode = code
    return Event.Close
  }
}

/** Size of a header by its second byte. */
function sizeOf(second: number): number {
  const length = second & 0x7f
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + ((second & MASK_BIT) !== 0 ? 4 : 0)
}
