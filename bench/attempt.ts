// Commands that may fail: builds, and a look whether a driver runs.
import { complaint, killGroup, launch } from './processes.ts'

export interface AttemptOptions {
  cwd?: string | undefined
  limitMs?: number | undefined
}

/** Runs a command to its end, without input; undefined, or why it failed in one line. */
export function attempt(command: (string | number)[], { cwd, limitMs }: AttemptOptions = {}): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = ''
    const child = launch(command, { cwd })
    child.stdin!.end()
    child.stdout!.resume()
    child.stderr!.on('data', (data) => (said += data))
    const tooLong = () => {
      resolve(`not done within ${limitMs! / 1000} s`)
      killGroup(child)
    }
    const late = limitMs === undefined ? undefined : setTimeout(tooLong, limitMs)
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => {
      clearTimeout(late)
      resolve(code === 0 ? undefined : complaint(said) || `${command[0]} ended with ${signal ?? code}`)
    })
  })
}
