import { nodeZlib } from '../base/builtin.ts'
import { optionNames, requireOptions } from '../base/check-options.ts'
import type { Filter } from '../message/filter.ts'
import { zlibFilter } from './zlib.ts'

/** Options of `brotli`. */
export interface BrotliOptions {
  /**
   * Compression quality, 0 to 11. 4 gives smaller output than gzip's 6 in less time; from 10 on it takes a hundred
   * times as long.
   * @default 4
   */
  quality?: number | undefined
}

const known = optionNames<BrotliOptions>({ quality: true })

/**
 * Brotli, id 0x62, name `brotli`, for dmicro peers: Go DMicro has no such filter.
 * @param options default: quality 4
 * @throws TypeError for unknown options
 * @throws RangeError for a quality outside 0 to 11
 */
export function brotli(options: BrotliOptions = {}): Filter {
  requireOptions('options', options, known)
  const { quality = 4 } = options
  const { constants } = nodeZlib()
  if (!Number.isInteger(quality) || quality < constants.BROTLI_MIN_QUALITY || quality > constants.BROTLI_MAX_QUALITY) {
    throw new RangeError(`option quality must be a whole number from 0 to 11, got ${String(quality)}`)
  }
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality }
  return zlibFilter(0x62, 'brotli', {
    pack: (bytes) => nodeZlib().brotliCompressSync(bytes, { params }),
    packAsync: (bytes, done) => nodeZlib().brotliCompress(bytes, { params }, done),
    unpack: (bytes, limits) => nodeZlib().brotliDecompressSync(bytes, limits),
    unpackAsync: (bytes, limits, done) => nodeZlib().brotliDecompress(bytes, limits, done),
  })
}
