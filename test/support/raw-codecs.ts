import { Incoming } from '../../src/message/message.ts'
import { loadNative } from '../../src/transports/native/addon.ts'
import { frameSize, packFrame } from '../../src/wire/raw-pack.ts'
import { unpackFrame } from '../../src/wire/raw-unpack.ts'

/** What unpacking gives: a frame's fields as text of their bytes, 0 for "more bytes", or a negative CloseReason. */
export type Unpacked =
  | number
  | { size: number; seq: number; type: number; codec: number; method: string; status: string; meta: string; body: string }

/** The raw protocol of one core, as tests compare it. Status and meta are '' for OK and none. */
export interface RawCodec {
  readonly name: string
  unpack(bytes: Buffer, maxMessage: number, maxFilters: number): Unpacked
  pack(seq: number, type: number, method: Buffer, status: string, meta: string, codec: number, body: Buffer): Buffer
}

const hex = (bytes: Buffer, start: number, end: number): string => bytes.toString('latin1', start, end)

const js: RawCodec = {
  name: 'js',
  unpack(bytes, maxMessage, maxFilters) {
    const m = new Incoming()
    const size = unpackFrame(bytes, 0, bytes.length, { maxMessage, maxFilters }, m)
    if (size <= 0) return size
    const method = hex(bytes, m.nameStart, m.nameEnd)
    const [status, meta] = [hex(bytes, m.statusStart, m.statusEnd), hex(bytes, m.metaStart, m.metaEnd)]
    return { size, seq: m.seq, type: m.type, codec: m.codec, method, status, meta, body: hex(bytes, m.bodyStart, m.bodyEnd) }
  },
  pack(seq, type, method, status, meta, codec, body) {
    const target = Buffer.alloc(frameSize(seq, method, status, meta, body))
    packFrame(target, 0, seq, type, method, status, meta, codec, body)
    return target
  },
}

function native(): RawCodec | undefined {
  const loaded = loadNative()
  if ('reason' in loaded) return undefined
  const { addon } = loaded
  return {
    name: 'native',
    unpack(bytes, maxMessage, maxFilters) {
      const n = addon.unpack(bytes, maxMessage, maxFilters)
      if (n.length === 1) return n[0]
      const [size, seq, type, codec] = n
      const run = (at: number): string => hex(bytes, n[at], n[at + 1])
      return { size, seq, type, codec, method: run(4), status: run(6), meta: run(8), body: hex(bytes, n[10], size) }
    },
    pack(seq, type, method, status, meta, codec, body) {
      return Buffer.from(addon.pack(seq, type, method, Buffer.from(status), Buffer.from(meta), codec, body))
    },
  }
}

/** The JavaScript core, and the native one where its binary is. */
export const rawCodecs: readonly RawCodec[] = [js, native()].filter((codec) => codec !== undefined)
