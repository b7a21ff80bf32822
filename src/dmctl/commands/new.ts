import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { reasonOf } from '../../base/errors/error-text.ts'
import { CommandError, Exit, usage } from '../failure.ts'
import { applicationFiles } from '../new/files.ts'
import { jsonOf, print } from '../output.ts'
import { ownVersion } from '../package-info.ts'

export function addNew(program: Command): void {
  program
    .command('new <folder>')
    .summary('make an application to begin with')
    .description('Makes an application in a new folder: a contract, a sandbox that serves it, a test, a Dockerfile and a unit of systemd.')
    .option('--json', 'print JSON, failures too')
    .addHelpText('after', '\nExamples:\n  $ dmctl new shop && cd shop && npm install && npm test && npm start')
    .action(runNew)
}

function runNew(folder: string, { json }: { json?: true }): void {
  const name = basename(resolve(folder))
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw usage(`the name must be small letters, digits and -, got ${JSON.stringify(name)}`)
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new CommandError(Exit.BadFile, `${folder} is not empty`)
  const files = applicationFiles(name, ownVersion())
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  } catch (error) {
    throw new CommandError(Exit.BadFile, `cannot write to ${folder}: ${reasonOf(error)}`)
  }
  const written = Object.keys(files).map((path) => join(folder, path))
  if (json) print(jsonOf({ ok: true, written }))
  else print(written.join('\n'))
}
