import { nodeZlib } from '../base/builtin.ts'
import { requireOptions } from '../base/check-options.ts'
import type { Filter } from '../message/filter.ts'
import { zlibFilter } from './zlib.ts'

/** Where the header names the operating system, and what Go writes there. */
const OS_AT = 9
const OS_UNKNOWN = 0xff

const MAX_LEVEL = 9

export interface GzipOptions {
  /** 0 (stored) to 9 (smallest); default 6. The receiver never learns it. */
  level?: number | undefined
}

const known: ReadonlySet<string> = new Set(['level'])

/**
 * Go's filter `gzip`, id 0x7a (docs/spec/wire.md#filters). Every endpoint has one; pass your own to choose the level.
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

/** zlib's header tells the system it was built for: the same bytes everywhere are worth more. */
function asGoWrites(member: Buffer): Buffer {
  member[OS_AT] = OS_UNKNOWN
  return member
}
