import { resolve } from 'node:path'
import type { Clock } from '../../../base/time/clock.ts'
import { LogFile, type Rotation } from './log-file.ts'

/** The log files of a supervisor. Streams that write to the same path share one file, so that it is rotated once. */
export class LogFiles {
  readonly #clock: Clock
  readonly #onError: (path: string, error: Error) => void
  readonly #files = new Map<string, { file: LogFile; users: Set<() => void> }>()

  constructor(clock: Clock, onError: (path: string, error: Error) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  /** @param onDrain called when all has been written; also names the user in `release` */
  open(path: string, rotation: Rotation, onDrain: () => void): LogFile {
    const key = resolve(path)
    let entry = this.#files.get(key)
    if (entry === undefined) {
      const users = new Set<() => void>()
      const drained = (): void => {
        for (const each of users) each()
      }
      const file = new LogFile(key, rotation, this.#clock, (error) => this.#onError(key, error), drained)
      entry = { file, users }
      this.#files.set(key, entry)
    }
    entry.users.add(onDrain)
    return entry.file
  }

  async release(file: LogFile, onDrain: () => void): Promise<void> {
    const entry = this.#files.get(file.path)
    if (entry === undefined || !entry.users.delete(onDrain) || entry.users.size > 0) return
    this.#files.delete(file.path)
    await file.close()
  }

  /** Opens all files anew. */
  reopen(): void {
    for (const { file } of this.#files.values()) file.reopen()
  }
}
