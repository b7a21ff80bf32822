import { lstatSync, mkdirSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { nodeCrypto, nodeOs } from '../../base/builtin.ts'
import { CommandError, ExitCode } from './exit-code.ts'

/** The system truncates longer paths of Unix sockets; a temporary name is a little longer than the final one. */
const MAX_SOCKET_PATH = 92

/** Files of a running application. */
export interface RuntimeFiles {
  readonly folder: string
  readonly pidFile: string
  readonly socket: string
  readonly logFile: string
}

/**
 * Where the files of an application are: DMICRO_RUNTIME_DIR, systemd's RUNTIME_DIRECTORY, XDG_RUNTIME_DIR/dmicro,
 * /run/dmicro for root, dmicro-UID in the folder for temporary files.
 *
 * @param pidFile path that the operator chose; its folder may be a shared one, so nothing else is put there
 * @throws CommandError 1 for paths that are too long
 */
export function runtimeFiles(name: string, pidFile: string | undefined): RuntimeFiles {
  const folder = runtimeFolder()
  const place = pidFile === undefined ? name : `${name}-${shortHash(resolve(pidFile))}`
  const files = {
    folder,
    pidFile: pidFile === undefined ? join(folder, `${name}.pid`) : resolve(pidFile),
    socket: join(folder, `${place}.sock`),
    logFile: join(folder, `${place}.log`),
  }
  if (Buffer.byteLength(files.socket) > MAX_SOCKET_PATH)
    throw new CommandError(ExitCode.Failed, `the path ${files.socket} is too long for a socket: set DMICRO_RUNTIME_DIR to a shorter one`)
  return files
}

function runtimeFolder(): string {
  const { DMICRO_RUNTIME_DIR, RUNTIME_DIRECTORY, XDG_RUNTIME_DIR } = process.env
  if (DMICRO_RUNTIME_DIR) return resolve(DMICRO_RUNTIME_DIR)
  if (RUNTIME_DIRECTORY) return RUNTIME_DIRECTORY.split(':', 1)[0]
  if (XDG_RUNTIME_DIR) return join(XDG_RUNTIME_DIR, 'dmicro')
  const uid = process.getuid?.()
  return uid === 0 ? '/run/dmicro' : join(nodeOs().tmpdir(), `dmicro-${uid ?? nodeOs().userInfo().username}`)
}

/**
 * Makes the folder, readable by this user alone, and checks one that is there: another user could have made it to
 * replace our files by his own.
 * @throws CommandError 1
 */
export function makePrivateFolder(folder: string): void {
  try {
    mkdirSync(dirname(folder), { recursive: true })
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(folder, (error as Error).message)
  }
  const found = look(folder)
  if (!found.isDirectory()) throw unusable(folder, found.isSymbolicLink() ? 'it is a symbolic link' : 'it is no folder')
  const uid = process.getuid?.()
  if (uid === undefined) return
  if (found.uid !== uid) throw unusable(folder, `it belongs to the user with id ${found.uid}, this process runs as ${uid}`)
  // Readers do no harm, and systemd's RuntimeDirectory= is 0755 by default.
  if ((found.mode & 0o022) !== 0) throw unusable(folder, `others may write into it: chmod go-w ${folder}`)
}

function look(folder: string): Stats {
  try {
    return lstatSync(folder)
  } catch (error) {
    throw unusable(folder, (error as Error).message)
  }
}

function unusable(folder: string, reason: string): CommandError {
  return new CommandError(ExitCode.Failed, `cannot use the folder ${folder}: ${reason}; DMICRO_RUNTIME_DIR names another one`)
}

function shortHash(text: string): string {
  return nodeCrypto().createHash('sha256').update(text).digest('hex').slice(0, 8)
}
