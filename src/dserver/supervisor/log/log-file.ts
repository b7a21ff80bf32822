import { constants } from 'node:fs'
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises'
import { type Clock, wallTime } from '../../../base/time/clock.ts'
import { sleep } from '../../../base/time/sleep.ts'
import { ByteQueue, lastLineEnd } from './byte-queue.ts'

/** Most bytes of one write. */
const MAX_WRITE = 2 ** 20
/** Bytes that wait while the file cannot be written; what comes then is dropped. */
export const MAX_WAITING = 4 * 2 ** 20
/** Milliseconds between two tries to write a file that cannot be written. */
const RETRY_MS = 500
/** Milliseconds between two tries to rotate a file that cannot be renamed. */
const ROTATE_RETRY_MS = 60_000

/** How a file is rotated. */
export interface Rotation {
  /** 0: no limit. */
  readonly maxBytes: number
  readonly backups: number
  /** Milliseconds; 0: not by time. */
  readonly rotateEvery: number
}

/**
 * A log file, opened for appending, and rotated between two lines where there are any. Writes never fail for the
 * caller: what cannot be written waits, up to a limit, and what is dropped beyond that is counted and noted in the
 * file once it can be written again.
 */
export class LogFile {
  readonly path: string
  readonly #rotation: Rotation
  readonly #clock: Clock
  readonly #onError: (error: Error) => void
  readonly #onDrain: () => void
  readonly #queue = new ByteQueue()
  #file: FileHandle | undefined
  #size = 0
  #period = 0
  #failing = false
  #unnoted = 0
  #dropped = 0
  readonly #waiting: (() => void)[] = []
  /** Until when a rotation that failed is not tried again. */
  #rotateAfter = Number.NEGATIVE_INFINITY
  #reopen = false
  #truncate = false
  #work: Promise<void> | undefined
  #closing = false
  /** Ends the wait for the next try. */
  readonly #wake = new AbortController()

  /**
   * @param onError called once when the file becomes unwritable
   * @param onDrain called when all has been written
   */
  constructor(path: string, rotation: Rotation, clock: Clock, onError: (error: Error) => void, onDrain: () => void) {
    this.path = path
    this.#rotation = rotation
    this.#clock = clock
    this.#onError = onError
    this.#onDrain = onDrain
  }

  /** Bytes that wait to be written; 0 while the file cannot be written, because waiting for it would be of no use. */
  get pressure(): number {
    return this.#failing ? 0 : this.#queue.size
  }

  /** Bytes that were lost because the file could not be written. */
  get dropped(): number {
    return this.#dropped
  }

  write(chunk: Buffer): void {
    if (this.#closing) return
    if (this.#failing && this.#queue.size + chunk.length > MAX_WAITING) {
      this.#dropped += chunk.length
      this.#unnoted += chunk.length
      return
    }
    this.#queue.push(chunk)
    this.#kick()
  }

  /** Opens the file anew, by its name, before the next write: after a rotation by others. */
  reopen(): void {
    this.#reopen = true
    this.#kick()
  }

  /** Empties the file. Output that waits is written afterwards. */
  async clear(): Promise<void> {
    this.#truncate = true
    this.#kick()
    await this.idle()
  }

  /** Empties the file and removes those that were rotated. */
  async clearAll(): Promise<void> {
    await this.clear()
    for (let i = 1; i <= this.#rotation.backups; i++) await unlink(`${this.path}.${i}`).catch(ignoreMissing)
  }

  /** Resolves when nothing waits, or when the file cannot be written. */
  idle(): Promise<void> {
    return this.#work === undefined || this.#failing ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Writes what waits, if it can be written, and closes the file. */
  async close(): Promise<void> {
    this.#closing = true
    this.#wake.abort()
    await this.#work
    await this.#file?.close().catch(() => {})
    this.#file = undefined
  }

  #kick(): void {
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
      this.#letGo()
    })
  }

  /** Nothing waits any more, or waiting is of no use. */
  #letGo(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#onDrain()
  }

  async #run(): Promise<void> {
    while (this.#queue.size > 0 || this.#reopen || this.#truncate || this.#unnoted > 0) {
      // A file that is being closed gets one try that began after that.
      const isLast = this.#closing
      try {
        await this.#step()
        this.#failing = false
      } catch (error) {
        this.#truncate = false
        if (!this.#failing) {
          this.#failing = true
          this.#onError(error as Error)
          this.#letGo()
        }
        await this.#file?.close().catch(() => {})
        this.#file = undefined
        if (isLast) return
        await sleep(this.#clock, RETRY_MS, this.#wake.signal).catch(() => {})
      }
    }
  }

  /** Opens, rotates or writes once. */
  async #step(): Promise<void> {
    if (this.#reopen) {
      this.#reopen = false
      await this.#file?.close()
      this.#file = undefined
    }
    this.#file ??= await this.#open()
    if (this.#truncate) {
      await this.#file.truncate()
      this.#size = 0
      this.#truncate = false
      return
    }
    if (this.#queue.size > 0) {
      const maxBytes = this.#maxBytes
      if (this.#isOver() || (maxBytes > 0 && this.#size >= maxBytes)) return this.#rotate()
      const { buffers, end } = this.#cut(maxBytes, maxBytes === 0 ? MAX_WRITE : Math.min(MAX_WRITE, maxBytes - this.#size))
      if (buffers.length === 0) return this.#rotate()
      const { bytesWritten } = await this.#file.writev(buffers)
      this.#queue.consume(bytesWritten)
      this.#size += bytesWritten
      // The line that ended the file is followed by one that would not fit.
      if (end && lengthOf(buffers) === bytesWritten) await this.#rotate()
      return
    }
    if (this.#unnoted > 0) await this.#noteLoss(this.#file)
  }

  async #noteLoss(file: FileHandle): Promise<void> {
    const lost = this.#unnoted
    const { bytesWritten } = await file.write(`[dmicro] ${lost} bytes of output were lost, because this file could not be written\n`)
    this.#size += bytesWritten
    this.#unnoted -= lost
  }

  /** The bytes that are written next, so that the file keeps within `room` and ends with a whole line. */
  #cut(maxBytes: number, room: number): { buffers: Buffer[]; end: boolean } {
    const buffers = this.#queue.peek(room)
    if (maxBytes === 0 || this.#queue.size <= room || this.#size + room < maxBytes || lengthOf(buffers) < room)
      return { buffers, end: false }
    const length = lastLineEnd(buffers)
    if (length > 0) return { buffers: this.#queue.peek(length), end: true }
    // A line that fits into an empty file goes there; a longer one is cut.
    return this.#size > 0 ? { buffers: [], end: true } : { buffers, end: true }
  }

  /** 0 also while rotation is not possible. */
  get #maxBytes(): number {
    return this.#clock.now() < this.#rotateAfter ? 0 : this.#rotation.maxBytes
  }

  #isOver(): boolean {
    if (this.#clock.now() < this.#rotateAfter) return false
    return this.#rotation.rotateEvery > 0 && this.#size > 0 && this.#periodOf(wallTime(this.#clock)) !== this.#period
  }

  #periodOf(time: number): number {
    return this.#rotation.rotateEvery === 0 ? 0 : Math.floor(time / this.#rotation.rotateEvery)
  }

  async #open(): Promise<FileHandle> {
    // Without O_NONBLOCK a FIFO that nobody reads would hold a thread of the pool for ever.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
    const file = await open(this.path, flags, 0o640)
    try {
      const { size, mtimeMs } = await file.stat().then((found) => {
        if (!found.isFile()) throw new Error(`${this.path} is no regular file`)
        return found
      })
      this.#size = size
      this.#period = this.#periodOf(size > 0 ? mtimeMs : wallTime(this.#clock))
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async #rotate(): Promise<void> {
    const { backups } = this.#rotation
    if (backups === 0) {
      await this.#file?.truncate()
      this.#size = 0
      this.#period = this.#periodOf(wallTime(this.#clock))
      return
    }
    await this.#file?.close()
    this.#file = undefined
    try {
      let last = 0
      while (last < backups - 1 && (await exists(`${this.path}.${last + 1}`))) last++
      for (let i = last; i > 0; i--) await rename(`${this.path}.${i}`, `${this.path}.${i + 1}`)
      await rename(this.path, `${this.path}.1`).catch(ignoreMissing)
    } catch (error) {
      // A file that grows beyond its size is better than lost output.
      this.#rotateAfter = this.#clock.now() + ROTATE_RETRY_MS
      this.#onError(error as Error)
    }
    this.#file = await this.#open()
  }

  /** Opens the file anew when the open one was renamed or removed. */
  async followName(): Promise<void> {
    if (this.#file === undefined) return
    const [own, named] = await Promise.all([this.#file.stat(), stat(this.path).catch(() => undefined)]).catch(() => [undefined, undefined])
    if (own?.ino !== named?.ino || own?.dev !== named?.dev) this.reopen()
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(ignoreMissing)) !== undefined
}

function lengthOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0)
}
