import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { reasonOf } from '../base/errors/error-text.ts'
import { CommandError, Exit } from './failure.ts'

/**
 * Writes a file, and makes its folder.
 *
 * @throws CommandError 7
 */
export function writeFile(file: string, text: string): void {
  try {
    makeFolder(dirname(file))
    writeFileSync(file, text)
  } catch (error) {
    throw new CommandError(Exit.BadFile, `cannot write ${file}: ${reasonOf(error)}`)
  }
}

/** Folder after folder: `recursive` of Node.js never ends where a folder cannot be made, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
}

/**
 * The text of a file that may be written anew; undefined when there is none yet.
 *
 * @throws CommandError 7
 */
export function readPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new CommandError(Exit.BadFile, `cannot read ${file}: ${reasonOf(error)}`)
  }
}
