import { closeSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import { duplicateTo } from '../os/files.ts'

/**
 * Lets the process end by its exit code although the terminal it began with has closed: at its end Node.js sets
 * terminals back to how it found them, and aborts where that fails. A descriptor that is another file it leaves alone.
 */
export function surviveLostTerminal(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor))
  if (terminals.length === 0) return
  process.once('exit', () => {
    const lost = terminals.filter((descriptor) => !isatty(descriptor))
    if (lost.length === 0) return
    const nothing = openSync('/dev/null', 'r+')
    for (const descriptor of lost) duplicateTo(nothing, descriptor)
    closeSync(nothing)
  })
}
