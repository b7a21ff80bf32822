/**
 * Layout of a frame of the raw protocol (spec/wire.md §8.1), shared by `raw-pack.ts` and `raw-unpack.ts`:
 *
 *     u32 total length, itself included      u8 version = 1      u8 filter count, then that many filter ids
 *     u8 length + sequence number in base 36      u8 message type      u8 length + service method
 *     u16 length + status JSON      u16 length + meta JSON      u8 body codec      the rest: body
 *
 * All integers are big-endian. Transfer filters apply to everything behind their ids as one block (spec/wire.md §4).
 */

export const RAW_VERSION = 1

/** Bytes before the filter ids: total length, version, filter count. */
export const HEADER_BYTES = 6

/** Header, a one-digit sequence number, and every other field empty. */
export const MIN_FRAME_BYTES = HEADER_BYTES + 2 + 1 + 1 + 2 + 2 + 1

/** What an OK status looks like on the wire. Go never omits it (spec/wire.md §2.3). */
export const OK_STATUS = '{"code":0,"msg":"","cause":""}'

/** What empty meta looks like on the wire. Go refuses zero bytes here (spec/wire.md §2.4). */
export const EMPTY_META = '{}'
