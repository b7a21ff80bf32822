#!/usr/bin/env node
// The command `dmctl`.

import { run } from './program.ts'

// A reader such as `head` may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
