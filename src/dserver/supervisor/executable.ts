import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/**
 * The file that `command` names: a path, or a name that is looked up in PATH.
 * @throws Error when there is none that can be executed
 */
export function findExecutable(command: string, path: string | undefined, directory: string): string {
  const hasFolder = command.includes('/')
  const candidates = hasFolder ? [isAbsolute(command) ? command : resolve(directory, command)] : inPath(command, path, directory)
  let found: Error | undefined
  for (const candidate of candidates) {
    try {
      if (!statSync(candidate).isFile()) continue
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') found ??= error as Error
    }
  }
  const where = hasFolder ? '' : ' in PATH'
  throw new Error(`${command} cannot be executed${found === undefined ? `: it is not there${where}` : ''}`, { cause: found })
}

/** The file of a program of the system; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  try {
    return findExecutable(name, process.env.PATH, '/')
  } catch {
    return undefined
  }
}

function inPath(command: string, path = '/usr/local/bin:/usr/bin:/bin', directory: string): string[] {
  return path.split(delimiter).map((folder) => resolve(directory, join(folder === '' ? '.' : folder, command)))
}
