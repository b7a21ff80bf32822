import { existsSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandError, Exit, usage } from '../failure.ts'
import { applicationFiles } from '../new/files.ts'
import { note, print, printJson } from '../output.ts'
import { ownVersion } from '../package-info.ts'
import { writeFile } from '../write-file.ts'

export function addNew(program: Command): void {
  program
    .command('new <folder>')
    .summary('make an application to begin with')
    .description(
      'Makes an application in a new folder: a contract, a sandbox that serves it, a client, a test, a Dockerfile and a unit of systemd, in TypeScript.',
    )
    .option('--js', 'in JavaScript, which needs no build')
    .option('--json', 'print JSON, failures too')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl new shop && cd shop && npm install && npm test && npm start
  $ dmctl new shop --js`,
    )
    .action(runNew)
}

function runNew(folder: string, { js, json }: { js?: true; json?: true }): void {
  // Otherwise it would be the folder that one is in.
  if (folder.trim() === '') throw usage('the folder is empty')
  const name = basename(resolve(folder))
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw usage(`the name must be small letters, digits and -, got ${JSON.stringify(name)}`)
  const taken = takenBy(folder)
  if (taken !== undefined) throw new CommandError(Exit.BadFile, `${folder} is ${taken}`)
  const files = applicationFiles({ name, version: ownVersion(), language: js ? 'js' : 'ts' })
  for (const [path, text] of Object.entries(files)) writeFile(join(folder, path), text)
  const written = Object.keys(files).map((path) => join(folder, path))
  if (json) printJson({ ok: true, written })
  else print(written.join('\n'))
  if (!json && process.stderr.isTTY) note(`\nNext: cd ${folder} && npm install && npm test && npm start`)
}

/** Says what is there already; undefined for nothing, and for an empty folder. */
function takenBy(folder: string): string | undefined {
  try {
    return existsSync(folder) && readdirSync(folder).length > 0 ? 'not empty' : undefined
  } catch {
    return 'no folder'
  }
}
