import type { EncodedReply } from '../../codecs/redis.ts'

/** Null in RESP2. */
export const NULL2 = '$-1\r\n'
const NULL3 = '_\r\n'

/** Converts an encoded reply to RESP3: nulls become `_`, objects `%`. */
export function asResp3(reply: string | Uint8Array): string | Uint8Array {
  if (reply === NULL2) return NULL3
  const { maps } = reply as Partial<EncodedReply>
  // Nearly every reply has neither. One that may have some is parsed, because text may look the same.
  const bytes = typeof reply === 'string' ? reply : Buffer.from(reply.buffer, reply.byteOffset, reply.length)
  return maps === undefined && !bytes.includes(NULL2) ? reply : rewritten(Buffer.from(bytes as string), maps)
}

function rewritten(bytes: Buffer, maps: ReadonlySet<number> | undefined): Buffer {
  const parts: Uint8Array[] = []
  let from = 0
  let arrays = 0
  const replace = (at: number, end: number, by: string): void => {
    parts.push(bytes.subarray(from, at), Buffer.from(by))
    from = end
  }
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(LF, at) + 1
    const kind = bytes[at]
    const size = kind === DOLLAR || kind === ASTERISK ? Number(bytes.toString('latin1', at + 1, end - 2)) : 0
    if (size < 0) replace(at, end, NULL3)
    else if (kind === ASTERISK && maps?.has(arrays++) === true) replace(at, end, `%${size / 2}\r\n`)
    at = kind === DOLLAR && size >= 0 ? end + size + 2 : end
  }
  parts.push(bytes.subarray(from))
  return Buffer.concat(parts)
}

const LF = 0x0a
const DOLLAR = 0x24
const ASTERISK = 0x2a
