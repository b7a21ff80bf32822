import { packLayers, unpackLayers } from '../../src/filtering/layers.ts'
import { insecureAes } from '../../src/filters/aes.ts'
import { type FilterTable, makeFilters } from '../../src/filters/filter-table.ts'
import type { Filter } from '../../src/message/filter.ts'

/** Frames of the raw protocol (docs/spec/wire.md#frame) made by hand, so that a test can get any byte of them wrong. */
export interface FrameParts {
  total?: number
  version?: number
  filters?: number[]
  seq?: string | number | undefined
  type?: number
  method?: string | Buffer
  methodLength?: number
  status?: string | undefined
  statusLength?: number
  meta?: string
  metaLength?: number
  codec?: number
  body?: string | Buffer
}

export function frame(parts: FrameParts = {}): Buffer {
  const seq = Buffer.from(typeof parts.seq === 'number' ? parts.seq.toString(36) : (parts.seq ?? '1'))
  const method = Buffer.from(parts.method ?? '')
  const status = Buffer.from(parts.status ?? '{"code":0,"msg":"","cause":""}')
  const meta = Buffer.from(parts.meta ?? '{}')
  const body = Buffer.from(parts.body ?? '')
  const filters = parts.filters ?? []
  const payload = Buffer.concat([
    Buffer.from([seq.length]),
    seq,
    Buffer.from([parts.type ?? 1, parts.methodLength ?? method.length]),
    method,
    u16(parts.statusLength ?? status.length),
    status,
    u16(parts.metaLength ?? meta.length),
    meta,
    Buffer.from([parts.codec ?? 106]),
    body,
  ])
  const head = Buffer.from([0, 0, 0, 0, parts.version ?? 1, filters.length, ...filters])
  head.writeUInt32BE(parts.total ?? head.length + payload.length)
  return Buffer.concat([head, payload])
}

export interface Parsed {
  seq: string
  type: number
  method: string
  status: { code: number; msg: string; cause: string }
  meta: string
  codec: number
  body: string
  /** Ids of the filters it came through. */
  filters: number[]
}

/** Made when needed: the key's warning belongs to few tests. */
let known: FilterTable | undefined

function filterOf(id: number): Filter {
  known ??= makeFilters([insecureAes('1234567890123456')])
  return known.byId(id) as Filter
}

/** `plain`, a frame without filters, behind those with `ids`. Filtered it must be at most 64 KiB. */
export function filteredFrame(ids: number[], plain: Buffer): Buffer {
  return wrap(ids, packLayers(ids.map(filterOf), plain.subarray(6)) as Uint8Array)
}

/** A frame that names filters and has these bytes behind them. */
export function wrap(ids: number[], payload: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, 1, ids.length, ...ids]), payload])
  bytes.writeUInt32BE(bytes.length)
  return bytes
}

/** Takes whole frames off the front of `bytes`. */
export function parse(bytes: Buffer): { frames: Parsed[]; rest: Buffer } {
  const frames: Parsed[] = []
  let rest = bytes
  while (rest.length >= 4 && rest.length >= rest.readUInt32BE(0)) {
    const total = rest.readUInt32BE(0)
    frames.push(parseOne(rest.subarray(0, total)))
    rest = rest.subarray(total)
  }
  return { frames, rest }
}

function parseOne(frame: Buffer): Parsed {
  const ids = [...frame.subarray(6, 6 + frame[5])]
  const bytes = Buffer.from(unpackLayers(ids.map(filterOf), frame.subarray(6 + ids.length), 1 << 16) as Uint8Array)
  let at = 0
  const take = (size: number): Buffer => bytes.subarray(at, (at += size))
  const seq = take(take(1)[0]).toString()
  const type = take(1)[0]
  const method = take(take(1)[0]).toString()
  const status = JSON.parse(take(take(2).readUInt16BE()).toString())
  const meta = take(take(2).readUInt16BE()).toString()
  const codec = take(1)[0]
  return { seq, type, method, status, meta, codec, body: bytes.subarray(at).toString(), filters: ids }
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}
