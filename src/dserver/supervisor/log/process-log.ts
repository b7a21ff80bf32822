import { Queue } from '../../../base/collections/queue.ts'
import { type Clock, wallTime } from '../../../base/time/clock.ts'
import { LogError } from './log-error.ts'
import type { LogFile } from './log-file.ts'
import type { LogFiles } from './log-files.ts'
import { type LogSettings, type LogSink, syslogAddress } from './log-options.ts'
import { type LogTail, readLog, readTail } from './read-log.ts'
import { Syslog } from './syslog.ts'
import { TimestampedLines } from './timestamps.ts'

/** Bytes kept in memory, from which followers get what came before them. */
const RECENT_BYTES = 64 * 2 ** 10
/** Bytes that wait for a follower; what comes then is left out. */
const MAX_BEHIND = 4 * 2 ** 20
/** Bytes that wait for a file at which its stream is no longer read, and at which it is read again. */
const HIGH_WATER = 4 * 2 ** 20
const LOW_WATER = 2 ** 20

/** Options of `follow`. */
export interface FollowOptions {
  /** Bytes of what came before that are given first, at most 64 KiB. Default: 0. */
  tail?: number | undefined
  /** Ends the iteration. Default: none. */
  signal?: AbortSignal | undefined
}

/** The output of one stream of a process: its log, and those who follow it. */
export class ProcessLog {
  readonly #settings: LogSettings
  readonly #clock: Clock
  readonly #files: LogFiles
  readonly #onError: (target: string, error: Error) => void
  readonly #sinks: LogSink[] = []
  readonly #own: LogFile[] = []
  readonly #syslogs: Syslog[] = []
  readonly #stamps: TimestampedLines | undefined
  readonly #followers = new Set<(chunk: Buffer) => void>()
  readonly #recent = new Queue<Buffer>()
  #recentSize = 0
  #paused = new Set<() => void>()
  readonly #drained = (): void => this.#resume()

  constructor(
    name: string,
    instance: number,
    settings: LogSettings,
    clock: Clock,
    files: LogFiles,
    onError: (target: string, error: Error) => void,
  ) {
    this.#settings = settings
    this.#clock = clock
    this.#files = files
    this.#onError = onError
    this.#stamps = settings.timestamps ? new TimestampedLines() : undefined
    for (const target of settings.targets) this.#add(target, name, instance)
  }

  /** Path of the file that answers reads; `''` when there is none. */
  get path(): string {
    return this.#own[0]?.path ?? ''
  }

  /** Bytes that could not be written. */
  get dropped(): number {
    return [...this.#own, ...this.#syslogs].reduce((sum, { dropped }) => sum + dropped, 0)
  }

  /**
   * Go's ReadLog of the file.
   * @internal
   */
  async read(offset: number, length: number): Promise<string> {
    return readLog(this.#readable(), offset, length)
  }

  /**
   * Go's ReadTailLog of the file.
   * @internal
   */
  async readTail(offset: number, length: number): Promise<LogTail> {
    return readTail(this.#readable(), offset, length)
  }

  /** Empties the files. */
  async clear(): Promise<void> {
    await Promise.all(this.#own.map((file) => file.clear()))
  }

  /** Empties the files and removes those that were rotated. */
  async clearAll(): Promise<void> {
    await Promise.all(this.#own.map((file) => file.clearAll()))
  }

  /** Resolves when all output has been written, or cannot be. */
  async idle(): Promise<void> {
    await Promise.all(this.#own.map((file) => file.idle()))
  }

  /** Output as it comes, until `signal` fires or the loop is left. A follower that is too slow misses output. */
  async *follow(options: FollowOptions = {}): AsyncGenerator<Buffer, void, undefined> {
    const { tail = 0, signal } = options
    const waiting = new Queue<Buffer>()
    let size = 0
    let wake: (() => void) | undefined
    const take = (chunk: Buffer): void => {
      if (size + chunk.length > MAX_BEHIND && size > 0) return
      waiting.push(chunk)
      size += chunk.length
      wake?.()
    }
    const end = (): void => wake?.()
    const before = this.recent(tail)
    if (before.length > 0) take(before)
    this.#followers.add(take)
    signal?.addEventListener('abort', end)
    try {
      while (!signal?.aborted) {
        const chunk = waiting.shift()
        if (chunk === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        size -= chunk.length
        yield chunk
      }
    } finally {
      this.#followers.delete(take)
      signal?.removeEventListener('abort', end)
    }
  }

  /** Calls `listener` with output as it comes; the function returned ends that. */
  onOutput(listener: (chunk: Buffer) => void): () => void {
    const follower = (chunk: Buffer): void => this.#guard('onOutput', listener, chunk)
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  /** The last output, at most `bytes` of it and 64 KiB. */
  recent(bytes: number = RECENT_BYTES): Buffer {
    const all: Buffer[] = []
    for (let i = 0; i < this.#recent.size; i++) all.push(this.#recent.at(i) as Buffer)
    const joined = Buffer.concat(all)
    return bytes <= 0 ? joined.subarray(0, 0) : joined.subarray(-Math.min(bytes, RECENT_BYTES))
  }

  /**
   * Takes output of a child.
   * @param pause called when the stream should not be read for now
   * @param resume called when it should be again
   * @internal
   */
  write(chunk: Buffer, pause?: () => void, resume?: () => void): void {
    const stamped = this.#stamps === undefined ? chunk : this.#stamps.stamp(chunk, wallTime(this.#clock))
    this.#remember(stamped)
    for (const sink of this.#sinks) sink(stamped)
    for (const follower of this.#followers) follower(stamped)
    if (pause === undefined || resume === undefined || this.#pressure() < HIGH_WATER) return
    this.#paused.add(resume)
    pause()
  }

  /**
   * Before a child starts: a file that was renamed or removed meanwhile is opened anew.
   * @internal
   */
  async followNames(): Promise<void> {
    await Promise.all(this.#own.map((file) => file.followName()))
  }

  /** @internal */
  async close(): Promise<void> {
    for (const syslog of this.#syslogs) syslog.close()
    await Promise.all(this.#own.map((file) => this.#files.release(file, this.#drained)))
  }

  #readable(): string {
    if (this.path === '') throw new LogError('NO_FILE', 'the log has no file')
    return this.path
  }

  #add(target: string | LogSink, name: string, instance: number): void {
    if (typeof target === 'function') {
      this.#sinks.push((chunk) => this.#guard('a function', target, chunk))
      return
    }
    if (target === '/dev/stdout' || target === '/dev/stderr') {
      const stream = target === '/dev/stdout' ? process.stdout : process.stderr
      this.#sinks.push((chunk) => void stream.write(chunk))
      return
    }
    const address = syslogAddress(target)
    if (address !== undefined) {
      const syslog = new Syslog(address, name, this.#clock, (error) => this.#onError(target, error))
      this.#syslogs.push(syslog)
      this.#sinks.push((chunk) => syslog.write(chunk))
      return
    }
    const path = target.replaceAll('{name}', name.replaceAll('/', '-')).replaceAll('{instance}', `${instance}`)
    const file = this.#files.open(path, this.#settings, this.#drained)
    this.#own.push(file)
    this.#sinks.push((chunk) => file.write(chunk))
  }

  #guard(target: string, sink: LogSink, chunk: Buffer): void {
    try {
      sink(chunk)
    } catch (error) {
      this.#onError(target, error as Error)
    }
  }

  #remember(chunk: Buffer): void {
    this.#recent.push(chunk)
    this.#recentSize += chunk.length
    while (this.#recentSize - (this.#recent.first?.length ?? 0) >= RECENT_BYTES) this.#recentSize -= (this.#recent.shift() as Buffer).length
  }

  #pressure(): number {
    return this.#own.reduce((most, { pressure }) => Math.max(most, pressure), 0)
  }

  #resume(): void {
    if (this.#paused.size === 0 || this.#pressure() > LOW_WATER) return
    const paused = this.#paused
    this.#paused = new Set()
    for (const resume of paused) resume()
  }
}
