import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ProcessEvent, Supervisor, type SupervisorEvents, type SupervisorOptions } from '../../src/dserver/supervisor/index.ts'
import { silentLogger } from '../../src/index.ts'

/** A supervisor that is closed when the test ends, and the states that its processes went through, as `name:state`. */
export function supervisor(t: TestContext, options: SupervisorOptions = {}): { made: Supervisor; states: string[] } {
  const made = new Supervisor({ log: silentLogger, ...options })
  t.after(() => made.close())
  const states: string[] = []
  made.events.on('process.*', ({ data }) => {
    const { name, state, previous } = data as ProcessEvent
    if (state !== previous) states.push(`${name}:${state}`)
  })
  return { made, states }
}

/** The next event of this name that fits. */
export function event<Name extends keyof SupervisorEvents>(
  made: Supervisor,
  name: Name,
  fits: (event: SupervisorEvents[Name]) => boolean = () => true,
): Promise<SupervisorEvents[Name]> {
  return new Promise((resolve) => {
    const subscription = made.events.on(name, (event) => {
      const data = event.data as SupervisorEvents[Name]
      if (!fits(data)) return
      subscription.unsubscribe()
      resolve(data)
    })
  })
}

export function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'dmicro-supervisor-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Options of a process that runs JavaScript. */
export function script(code: string): { command: string; args: string[] } {
  return { command: process.execPath, args: ['-e', code] }
}

/** What a server answers to a connection. */
export async function answerOf(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.setEncoding('utf8')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

/** Whether a process is there and no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** Resolves when none of the processes is there any more. */
export async function gone(...pids: number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 10))
}

export function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}
