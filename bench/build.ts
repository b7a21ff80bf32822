// Makes ready what the suite needs besides dmicro itself: the peers' packages, the C++ programs, the Go program.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { type AttemptOptions, attempt } from './attempt.ts'
import { path, programs } from './processes.ts'

/** Why a kind of driver cannot run here; absent: it can. */
export interface Unready {
  go?: string | undefined
  cpp?: string | undefined
  js?: string | undefined
  /** Of the C++ client over TLS. */
  openssl?: string | undefined
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

/** `go version`, without its first words; null where there is no Go. */
export function goVersion(): string | null {
  const { status, stdout } = spawnSync('go', ['version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim().replace(/^go version /, '') : null
}

/** What is plainly not here, found without building anything. */
export function lacking(): Unready {
  const unready: Unready = {}
  if (process.platform !== 'linux') unready.cpp = 'the C++ programs use epoll: Linux only'
  else if (!has('cmake', '--version')) unready.cpp = 'cmake is not installed'
  if (goVersion() === null) unready.go = 'go is not installed'
  return unready
}

function packagesAreOld(): boolean {
  const installed = path('node_modules/.package-lock.json')
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(path('package-lock.json')).mtimeMs
}

/** Builds all; what does not build makes its drivers missing. `goLimitMs` is how long the Go program may take. */
export async function build(goLimitMs: number | undefined, tell: (line: string) => void): Promise<Unready> {
  const unready = lacking()
  const step = async (kind: keyof Unready, what: string, commands: string[][], options: AttemptOptions = {}) => {
    if (unready[kind] !== undefined) return
    const start = Date.now()
    for (const command of commands) unready[kind] ??= await attempt(command, options)
    const seconds = ((Date.now() - start) / 1000).toFixed(1)
    if (unready[kind] !== undefined) unready[kind] = `${what} not built: ${unready[kind]}`
    tell(unready[kind] ?? `${what}: ${seconds} s`)
  }
  const compile = async () => {
    await step('cpp', 'C++ programs', [
      ['cmake', '-S', path('.'), '-B', programs],
      ['cmake', '--build', programs, '-j', '2'],
    ])
    await step('go', 'Go program', [['go', 'build', '-o', `${programs}/go-peer`, '.']], { cwd: path('go'), limitMs: goLimitMs })
  }
  const install = packagesAreOld()
    ? step('js', "peers' packages", [[npm, 'ci', '--prefix', path('.'), '--no-audit', '--no-fund']])
    : Promise.resolve()
  await Promise.all([compile(), install])
  // It looks for OpenSSL before it connects, to where nobody listens.
  const said = await attempt([`${programs}/load`, '--tls', '--address', '127.0.0.1:1'])
  if (said?.includes('OpenSSL')) unready.openssl = said
  return unready
}
