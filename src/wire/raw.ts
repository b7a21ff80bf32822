import type { Limits } from '../base/limits.ts'

/**
 * Layout of a frame of the raw protocol (docs/spec/wire.md#frame), shared by `raw-pack.ts` and `raw-unpack.ts`:
 *
 * - u32 total length, itself included
 * - u8 version = 1
 * - u8 filter count, then that many filter ids
 * - u8 length + sequence number in base 36
 * - u8 message type
 * - u8 length + service method
 * - u16 length + status JSON
 * - u16 length + meta JSON
 * - u8 body codec
 * - body, to the end of the frame
 *
 * All integers are big-endian. Transfer filters apply to everything after their ids as one block
 * (docs/spec/wire.md#filters).
 */

export const RAW_VERSION = 1

/** Bytes before the filter ids: total length, version, filter count. */
export const HEADER_BYTES = 6

/** Smallest frame in bytes: header, a one-digit sequence number, and every other field empty. */
export const MIN_FRAME_BYTES = HEADER_BYTES + 2 + 1 + 1 + 2 + 2 + 1

/** The JSON of an OK status. Go never omits it (docs/spec/wire.md#status). */
export const OK_STATUS = '{"code":0,"msg":"","cause":""}'

/** The JSON of empty meta. Go refuses zero bytes here (docs/spec/wire.md#meta). */
export const EMPTY_META = '{}'

/**
 * The raw protocol as a listener with several protocols sees it. The transports read and write its frames, so it has no
 * `open`.
 */
export interface RawProtocol {
  readonly id: 6
  readonly name: 'raw'
  readonly framing: 'raw'
  match(bytes: Uint8Array, limits: Readonly<Limits>): boolean | undefined
}

export const rawProtocol: RawProtocol = {
  id: 6,
  name: 'raw',
  framing: 'raw',

  match(bytes, limits) {
    if (bytes.length < 4) return undefined
    const total = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0
    if (total < MIN_FRAME_BYTES || total > limits.maxMessage) return false
    if (bytes.length < HEADER_BYTES) return undefined
    return bytes[4] === RAW_VERSION && bytes[5] <= limits.maxFilters
  },
}
