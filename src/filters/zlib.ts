import type { ZlibOptions } from 'node:zlib'
import { type Filter, FilterOverflow } from '../message/filter.ts'

type Options = ZlibOptions
type Done = (error: Error | null, result: Buffer) => void

/** The functions of `node:zlib` for one format. */
interface Format {
  pack(bytes: Uint8Array): Buffer
  packAsync(bytes: Uint8Array, done: Done): void
  unpack(bytes: Uint8Array, options: Options): Buffer
  unpackAsync(bytes: Uint8Array, options: Options, done: Done): void
}

/** The result of zlib with the option `info`, which its type declarations leave out. */
interface Informed {
  buffer: Buffer
  engine: { bytesWritten: number }
}

/**
 * Output of one step in zlib's threads, in bytes: fewer steps than with its own 16 KiB, and the most that is produced
 * beyond a limit.
 */
const LARGE_CHUNK = 256 * 1024

/**
 * Makes a filter of zlib's functions. Empty input stays empty; output stops at the limit; bytes after the end are
 * refused.
 */
export function zlibFilter(id: number, name: string, format: Format): Filter {
  const finish = (result: unknown, size: number): Buffer => {
    const { buffer, engine } = result as Informed
    if (engine.bytesWritten !== size) throw new Error(`${name}: bytes behind the end`)
    return buffer
  }
  return {
    id,
    name,
    pack: (bytes) => format.pack(bytes),
    packAsync: (bytes) =>
      new Promise((resolve, reject) => format.packAsync(bytes, (error, result) => (error ? reject(error) : resolve(result)))),
    unpack(bytes, maxSize) {
      if (bytes.length === 0) return bytes
      try {
        return finish(format.unpack(bytes, optionsFor(maxSize)), bytes.length)
      } catch (error) {
        throw overflow(error, maxSize)
      }
    },
    async unpackAsync(bytes, maxSize) {
      if (bytes.length === 0) return bytes
      const result = await new Promise<Buffer>((resolve, reject) =>
        format.unpackAsync(bytes, { ...optionsFor(maxSize), chunkSize: LARGE_CHUNK }, (error, buffer) =>
          error ? reject(overflow(error, maxSize)) : resolve(buffer),
        ),
      )
      return finish(result, bytes.length)
    },
  }
}

/**
 * Options that stop output at `maxSize`. zlib takes no limit below 1, so for a limit of 0 the size of the result must
 * be checked.
 */
function optionsFor(maxSize: number): Options {
  return { maxOutputLength: Math.max(1, maxSize), info: true }
}

function overflow(error: unknown, maxSize: number): unknown {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? new FilterOverflow(maxSize) : error
}
