import { type FileHandle, open } from 'node:fs/promises'
import { LogError } from './log-error.ts'

/** Most bytes that one read returns. */
const MAX_READ = 64 * 2 ** 20

/** A part of a log's end. */
export interface LogTail {
  /** The bytes as UTF-8. */
  readonly text: string
  /** Where the next read begins. */
  readonly offset: number
  /** Whether bytes before `text` were left out, or `offset` was beyond the end. */
  readonly overflow: boolean
}

/**
 * Reads a part of a file: the last `-offset` bytes for a negative offset and length 0; from `offset` to the end for
 * length 0; otherwise at most `length` bytes from `offset` on.
 *
 * @throws LogError
 */
export async function readLog(path: string, offset: number, length: number): Promise<string> {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || length < 0 || (offset < 0 && length !== 0))
    throw new LogError('BAD_ARGUMENTS', `offset ${offset} with length ${length} is no range`)
  return withFile(path, async (file, size) => {
    const from = offset < 0 ? Math.max(0, size + offset) : Math.min(offset, size)
    const to = length === 0 ? size : Math.min(size, from + length)
    return (await readRange(file, from, to)).toString()
  })
}

/**
 * Reads at most `length` bytes from `offset` on. When there are more, the last `length` bytes of the file, with
 * `overflow`. Beyond the end: nothing, the end, and `overflow`.
 *
 * @throws LogError
 */
export async function readTail(path: string, offset: number, length: number): Promise<LogTail> {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
    throw new LogError('BAD_ARGUMENTS', `offset ${offset} with length ${length} is no range`)
  return withFile(path, async (file, size) => {
    if (offset > size) return { text: '', offset: size, overflow: true }
    const overflow = size - offset > length
    const from = overflow ? size - length : offset
    return { text: (await readRange(file, from, size)).toString(), offset: size, overflow }
  })
}

async function withFile<T>(path: string, read: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    return await read(file, (await file.stat()).size)
  } catch (error) {
    if (error instanceof LogError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new LogError('NO_FILE', `${path} is not there`, error)
    throw new LogError('FAILED', `${path} cannot be read`, error)
  } finally {
    await file?.close()
  }
}

async function readRange(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(to - from, MAX_READ))
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
