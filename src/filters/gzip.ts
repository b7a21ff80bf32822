import { nodeZlib } from '../base/builtin.ts'
import { optionNames, requireOptions } from '../base/check-options.ts'
import type { Filter } from '../message/filter.ts'
import { zlibFilter } from './zlib.ts'

/** Offset of the header's byte for the operating system, and the value Go writes there. */
const OS_AT = 9
const OS_UNKNOWN = 0xff

const MAX_LEVEL = 9

/** Options of `gzip`. */
export interface GzipOptions {
  /**
   * Compression level, 0 (stored) to 9 (smallest). The receiver needs no setting.
   * @default 6
   */
  level?: number | undefined
}

const known = optionNames<GzipOptions>({ level: true })

/**
 * Go's filter `gzip`, id 0x7a (docs/spec/wire.md#filters). Every endpoint has one; pass your own to choose the level.
 * @param options default: level 6
 * @throws TypeError for unknown options
 * @throws RangeError for a level outside 0 to 9
 */
export function gzip(options: GzipOptions = {}): Filter {
  requireOptions('options', options, known)
  const { level = 6 } = options
  if (!Number.isInteger(level) || level < 0 || level > MAX_LEVEL) {
    throw new RangeError(`option level must be a whole number from 0 to 9, got ${String(level)}`)
  }
  return zlibFilter(0x7a, 'gzip', {
    pack: (bytes) => asGoWrites(nodeZlib().gzipSync(bytes, { level })),
    packAsync: (bytes, done) => nodeZlib().gzip(bytes, { level }, (error, result) => done(error, error ? result : asGoWrites(result))),
    unpack: (bytes, limits) => nodeZlib().gunzipSync(bytes, limits),
    unpackAsync: (bytes, limits, done) => nodeZlib().gunzip(bytes, limits, done),
  })
}

/** Overwrites the operating system in the header, so that zlib gives the same bytes on every system. */
function asGoWrites(member: Buffer): Buffer {
  member[OS_AT] = OS_UNKNOWN
  return member
}
