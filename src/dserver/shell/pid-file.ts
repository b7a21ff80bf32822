import { closeSync, constants, fstatSync, ftruncateSync, openSync, readdirSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { CommandError, ExitCode } from './exit-code.ts'
import { pidIn, tryLock } from './file-lock.ts'

/** Times to look again when another process replaced the file between open and lock. */
const MAX_TRIES = 20

/**
 * The file with the pid of the running server. Who has its lock is the server; what the file says is only told to
 * others. So a file that was left behind, or that names a process of something else, is no obstacle.
 */
export class PidFile {
  readonly path: string
  /** Open, and locked while the file is ours. Passed to the process that takes over. */
  readonly descriptor: number

  private constructor(path: string, descriptor: number) {
    this.path = path
    this.descriptor = descriptor
  }

  /**
   * Takes the file for this process.
   * @throws CommandError 4 when another process has it, 1 when it cannot be written
   */
  static take(path: string): PidFile {
    for (let tries = 1; ; tries++) {
      const descriptor = open(path)
      try {
        if (!tryLock(descriptor)) {
          const pid = pidIn(descriptor)
          throw new CommandError(ExitCode.AlreadyRunning, `already running${pid === 0 ? '' : ` as process ${pid}`} (${path})`)
        }
        if (isAt(path, descriptor)) {
          const file = new PidFile(path, descriptor)
          file.write()
          return file
        }
        if (tries === MAX_TRIES) throw new CommandError(ExitCode.Failed, `${path} is replaced again and again`)
      } catch (error) {
        closeSync(descriptor)
        throw error
      }
      closeSync(descriptor)
    }
  }

  /** The file of a process that passed its descriptor on, with the lock. */
  static adopt(path: string, descriptor: number): PidFile {
    return new PidFile(path, descriptor)
  }

  /**
   * Writes the pid of this process.
   * @throws CommandError 1 when the disk is full
   */
  write(): void {
    try {
      ftruncateSync(this.descriptor, 0)
      const text = `${process.pid}`
      if (writeSync(this.descriptor, text, 0) !== text.length) throw new Error('no space left on device')
    } catch (error) {
      throw new CommandError(ExitCode.Failed, `cannot write ${this.path}: ${(error as Error).message}`)
    }
  }

  /** Leaves the file, and its lock, to the process that took over. */
  close(): void {
    closeSync(this.descriptor)
  }

  /** Removes the file, unless another one is in its place. The lock stays until the process ends. */
  remove(): void {
    try {
      if (isAt(this.path, this.descriptor)) unlinkSync(this.path)
    } catch {
      // Left behind, the file is no obstacle.
    }
  }
}

/** Pid of the process that has the lock; 0 when it has not written it yet; undefined when the file is not locked. */
export function runningPid(path: string): number | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CommandError(ExitCode.Failed, `cannot read ${path}: ${(error as Error).message}`)
  }
  try {
    if (!fstatSync(descriptor).isFile()) throw new CommandError(ExitCode.Failed, `${path} is no file`)
    // The lock is freed when the descriptor is closed.
    return tryLock(descriptor) ? undefined : pidIn(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Whether a process has the file open. True where the system does not tell. */
export function hasOpen(pid: number, path: string): boolean {
  if (process.platform !== 'linux') return true
  try {
    const file = statSync(path, { bigint: true })
    return readdirSync(`/proc/${pid}/fd`).some((name) => {
      const other = statSync(`/proc/${pid}/fd/${name}`, { bigint: true, throwIfNoEntry: false })
      return other?.ino === file.ino && other.dev === file.dev
    })
  } catch {
    return false
  }
}

function open(path: string): number {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    throw new CommandError(ExitCode.Failed, `cannot open the pid file ${path}: ${(error as Error).message}`)
  }
  const { nlink, uid } = fstatSync(descriptor)
  const ownUid = process.getuid?.() ?? uid
  if (fstatSync(descriptor).isFile() && nlink <= 1 && uid === ownUid) return descriptor
  closeSync(descriptor)
  const reason = uid !== ownUid ? `it belongs to the user with id ${uid}` : 'it is no plain file'
  throw new CommandError(ExitCode.Failed, `cannot use the pid file ${path}: ${reason}`)
}

/** Whether the open file is the one that has this path. */
function isAt(path: string, descriptor: number): boolean {
  try {
    const there = statSync(path, { bigint: true })
    const here = fstatSync(descriptor, { bigint: true })
    return there.ino === here.ino && there.dev === here.dev
  } catch {
    return false
  }
}
