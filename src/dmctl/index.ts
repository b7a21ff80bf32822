#!/usr/bin/env node
// The command `dmctl`.

import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { run } from './program.ts'

// A reader such as `head` may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code
  if (process.stdout.isTTY !== true) process.once('exit', releaseTerminal)
})

/**
 * Closes what is a terminal. When Node.js ends it gives terminals that are open the modes they had at its start, and in
 * `dmctl … | less` a pager has set others meanwhile: it would get no more single keys.
 */
function releaseTerminal(): void {
  for (const descriptor of [0, 2]) if (isatty(descriptor)) closeSync(descriptor)
}
