import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'

/** This machine lacks something that a suite needs; the message says what, in one line. Anything else that goes wrong is a failure. */
export class Lacking extends Error {}

/**
 * A suite of `body`'s tests, with what `prepare` brought. Where the machine lacks it the suite is skipped and says so; in CI, which
 * installs all of it, that is a failure. For the top level of a test file, awaited.
 */
export async function suite<T>(name: string, prepare: () => T | Promise<T>, body: (tools: T) => void): Promise<void> {
  let tools: T
  try {
    tools = await prepare()
  } catch (error) {
    if (!(error instanceof Lacking)) throw error
    console.log(`${name} not run: ${error.message}`)
    if (process.env.CI) test(name, () => Promise.reject(error))
    else test(name, { skip: error.message }, () => {})
    return
  }
  describe(name, () => body(tools))
}

/** Throws unless all these commands are there: `{ command: Debian's package that has it }`. */
export function needCommands(commands: Readonly<Record<string, string>>): void {
  const missing = Object.keys(commands).filter((command) => spawnSync('which', [command]).status !== 0)
  if (missing.length > 0) throw new Lacking(`no ${missing.join(', ')} (Debian: ${missing.map((command) => commands[command]).join(' ')})`)
}
