import { CloseCode } from './close-code.ts'

/** Opcodes of WebSocket frames (RFC 6455 §5). The twin of this file is native/wire/websocket_frame.h. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const
export type Opcode = (typeof Opcode)[keyof typeof Opcode]

/** Most bytes of a header: two, a 64-bit length, a mask. */
export const MAX_HEADER_BYTES = 14
/** Most bytes of the payload of a control frame. */
export const MAX_CONTROL_BYTES = 125

export const FIN = 0x80
/** RSV1, of permessage-deflate. */
export const COMPRESSED = 0x40
export const MASK_BIT = 0x80

/** Size of the header of a frame with a payload of `size` bytes. */
export function headerSize(size: number, masked: boolean): number {
  return (size < 126 ? 2 : size <= 0xffff ? 4 : 10) + (masked ? 4 : 0)
}

/**
 * Writes the header of an unfragmented frame.
 *
 * @param first opcode and bits besides FIN
 * @param mask undefined for an unmasked frame
 * @returns where the header ends
 */
export function writeHeader(target: Buffer, offset: number, first: number, size: number, mask: number | undefined): number {
  const masked = mask === undefined ? 0 : MASK_BIT
  target[offset] = FIN | first
  let at = offset + 2
  if (size < 126) {
    target[offset + 1] = masked | size
  } else if (size <= 0xffff) {
    target[offset + 1] = masked | 126
    at = target.writeUInt16BE(size, at)
  } else {
    target[offset + 1] = masked | 127
    at = target.writeUInt32BE(Math.floor(size / 2 ** 32), at)
    at = target.writeUInt32BE(size >>> 0, at)
  }
  return mask === undefined ? at : target.writeInt32BE(mask, at)
}

/** Bytes that are masked in words of four; fewer are not worth making a view of the memory. */
const MIN_WORDS = 64
/** Largest memory whose view is kept for the next mask. */
const MAX_KEPT = 1024 * 1024
let kept = new Int32Array(0)
const littleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1

/**
 * Applies a mask to `bytes[start, end)`.
 *
 * @param mask the four bytes of the mask, the first one highest
 * @param phase place of the first byte in the mask
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, mask: number, phase = 0): void {
  let at = start
  let turned = phase === 0 ? mask : (mask << (phase * 8)) | (mask >>> (32 - phase * 8))
  if (end - start >= MIN_WORDS) {
    for (; ((bytes.byteOffset + at) & 3) !== 0; at++) {
      bytes[at] ^= turned >>> 24
      turned = (turned << 8) | (turned >>> 24)
    }
    const words = wordsOf(bytes.buffer)
    const word = littleEndian ? swap(turned) : turned
    const last = (bytes.byteOffset + end) >> 2
    for (let i = (bytes.byteOffset + at) >> 2; i < last; i++) words[i] ^= word
    at = last * 4 - bytes.byteOffset
  }
  for (; at < end; at++) {
    bytes[at] ^= turned >>> 24
    turned = (turned << 8) | (turned >>> 24)
  }
}

/** Memory as words. All sockets read into the same buffer, whose view is kept. */
function wordsOf(memory: ArrayBufferLike): Int32Array {
  if (kept.buffer === memory) return kept
  const words = new Int32Array(memory as ArrayBuffer, 0, memory.byteLength >>> 2)
  if (memory.byteLength <= MAX_KEPT) kept = words as Int32Array<ArrayBuffer>
  return words
}

function swap(word: number): number {
  return (word >>> 24) | ((word >>> 8) & 0xff00) | ((word & 0xff00) << 8) | (word << 24)
}

/** A whole control frame. Requires at most `MAX_CONTROL_BYTES` of payload. */
export function controlFrame(opcode: Opcode, payload: Uint8Array, mask: number | undefined): Buffer {
  const frame = Buffer.alloc(headerSize(payload.length, mask !== undefined) + payload.length)
  const start = writeHeader(frame, 0, opcode, payload.length, mask)
  frame.set(payload, start)
  if (mask !== undefined) applyMask(frame, start, frame.length, mask)
  return frame
}

/** A close frame without reason; one without code for `CloseCode.None`. */
export function closeFrame(code: number, mask: number | undefined): Buffer {
  return controlFrame(Opcode.Close, code === CloseCode.None ? Buffer.alloc(0) : Buffer.from([code >> 8, code]), mask)
}

/** Whether a peer may send a close frame with this code (RFC 6455 §7.4, and the registry up to 1014). */
export function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
}
