import { mkdirSync, writeFileSync } from 'node:fs'
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
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } catch (error) {
    throw new CommandError(Exit.BadFile, `cannot write ${file}: ${reasonOf(error)}`)
  }
}
