import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What a direction of the cable does to packets. Default: nothing. */
export interface Way {
  /** 0 to 1, each packet by itself; 1 is a pulled cable. */
  loss?: number
  /** Milliseconds. */
  delay?: number
  /** Up to so many milliseconds more, each packet its own. */
  jitter?: number
}

/** A network namespace at the end of a cable. Children started with `link` live in it; the test does not. */
export interface Link {
  /** The address of what listens in the namespace. */
  readonly host: string
  /** What to put before a command line so that it runs in the namespace. */
  readonly prefix: readonly string[]
  /** Sets both directions anew. Up is towards the namespace. */
  set(ways: { up?: Way; down?: Way }): Promise<void>
}

const script = fileURLToPath(new URL('fixtures/link.py', import.meta.url))

/** Why this machine can have no such network, or undefined. */
export function linkMissing(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  for (const [command, ...args] of [
    ['ip', '-V'],
    ['python3', '-V'],
    ['nsenter', '-V'],
    ['unshare', '-n', 'true'],
  ])
    if (spawnSync(command, args, { stdio: 'ignore' }).status !== 0) return `${[command, ...args].join(' ')} fails`
  return undefined
}

/** Both ends vanish with the test. */
export async function makeLink(t: TestContext): Promise<Link> {
  // 198.18.0.0/15 is for tests of networks (RFC 2544); each link takes four addresses of it.
  const place = (process.pid * 16 + (made++ % 16)) & 0x7fff
  const host = (n: number): string => `198.${18 + (place >> 14)}.${(place >> 6) & 255}.${((place & 63) << 2) + n}`
  const args = [script, `dm${place.toString(36)}`, `${host(1)}/30`, `${host(2)}/30`, '1']
  const python: ChildProcess = spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(async () => {
    if (python.exitCode !== null || python.signalCode !== null) return
    python.stdin?.end()
    await once(python, 'exit')
  })
  const answers = createInterface({ input: python.stdout! })
  const ended = once(python, 'exit').then(() => Promise.reject(new Error('the link ended')))
  ended.catch(() => {})
  const answer = async (): Promise<void> => {
    await Promise.race([once(answers, 'line'), ended])
  }
  await answer()
  return {
    host: host(2),
    prefix: ['nsenter', '-t', String(python.pid), '-n', '--'],
    set: (ways) => {
      const done = answer()
      python.stdin?.write(`${JSON.stringify(ways)}\n`)
      return done
    },
  }
}
let made = 0
