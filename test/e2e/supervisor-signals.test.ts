import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadNative } from '../../src/transports/native/addon.ts'
import { gone, isAlive, temporary } from '../support/supervisor.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

/** A process of `fixtures/`, and the JSON lines that it says. It is killed when the test ends. */
function start(t: TestContext, name: string, ...prefix: string[]): { child: ChildProcess; next: () => Promise<never> } {
  const [command, ...args] = [...prefix, process.execPath, '--import', 'tsx', fixture(name)]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, next: async () => JSON.parse((await lines.next()).value ?? 'null') as never }
}

const mounts = spawnSync('unshare', ['-m', 'sh', '-c', 'mount --bind /etc/group /etc/group']).status === 0
const noMounts = mounts && spawnSync('setpriv', ['--version']).status === 0 ? false : 'needs root, unshare(1) and setpriv(1)'

describe('a child of another user', () => {
  it('has the groups that name the user, and knows its listeners', { skip: noMounts }, (t) => {
    const folder = temporary(t)
    writeFileSync(join(folder, 'group'), `${readFileSync('/etc/group', 'utf8')}\nfirst:x:4242:daemon\nother:x:4243:nobody\n`)
    const mount = 'mount --bind "$1" /etc/group && shift && exec "$@"'
    const command = [process.execPath, '--import', 'tsx', fixture('supervising-user.ts'), 'daemon']
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', mount, 'sh', join(folder, 'group'), ...command], {
      encoding: 'utf8',
    })
    assert.equal(stdout.trim(), '1 1 1 4242 1 1', stderr)
  })
})

const canUnshare = spawnSync('unshare', ['--fork', '--pid', '--mount-proc', 'true']).status === 0
const noNamespace = canUnshare ? false : 'no namespaces of pids here'

describe('the process that supervises', { concurrency: true }, () => {
  it('killed with SIGKILL: all children end, also those that ignore SIGTERM', async (t) => {
    const { child, next } = start(t, 'supervising.ts')
    const { pids } = (await next()) as { pids: number[] }
    assert.ok(pids.every(isAlive))
    child.kill('SIGKILL')
    await gone(...pids)
  })

  it('killed after its guard was killed: a new guard ends the children', async (t) => {
    const { child, next } = start(t, 'supervising.ts')
    const { pids } = (await next()) as { pids: number[] }
    const guards = (): string => spawnSync('pgrep', ['-x', '-P', `${child.pid}`, 'sh'], { encoding: 'utf8' }).stdout.trim()
    const first = guards()
    process.kill(Number(first), 'SIGKILL')
    await gone(Number(first))
    while (guards() === '' || guards() === first) await new Promise(setImmediate)
    child.kill('SIGKILL')
    await gone(...pids)
  })

  it('told to end by a storm of signals: children stop once, the exit code is 0', async (t) => {
    const { child, next } = start(t, 'supervising.ts')
    const { pids } = (await next()) as { pids: number[] }
    for (let i = 0; i < 300; i++) child.kill((['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR1'] as const)[i % 4])
    const [code, signal] = await once(child, 'exit')
    assert.deepEqual([code, signal], [0, null])
    assert.ok(!pids.some(isAlive))
  })

  it('told to reload by a storm of SIGHUP: new children, and it lives on', async (t) => {
    const { child, next } = start(t, 'supervising.ts')
    const { pids } = (await next()) as { pids: number[] }
    for (let i = 0; i < 100; i++) child.kill('SIGHUP')
    assert.deepEqual(await next(), { reloaded: 'plain' })
    assert.deepEqual(await next(), { reloaded: 'deaf' })
    await gone(...pids)
    child.kill('SIGTERM')
    assert.deepEqual((await once(child, 'exit'))[0], 0)
  })
})

describe('as pid 1 of a namespace', { skip: noNamespace }, () => {
  const native = 'addon' in loadNative()

  it('reaps orphans, leaves the exit codes of its own children, and ends by SIGTERM', { skip: !native && 'no addon' }, async (t) => {
    const { child, next } = start(t, 'supervising-init.ts', 'unshare', '--fork', '--pid', '--mount-proc')
    const { pid, orphan, reaped, code, crash } = (await next()) as Record<string, number> & { crash: { statename: string; exitstatus: number; spawnerr: string } } // biome-ignore format: one line
    assert.equal(pid, 1)
    assert.equal(reaped, orphan)
    assert.equal(code, 7)
    assert.equal(crash.statename, 'Fatal')
    // unshare passes no signals on: the init of the namespace is its child.
    const { stdout } = spawnSync('pgrep', ['-P', `${child.pid}`], { encoding: 'utf8' })
    process.kill(Number(stdout), 'SIGTERM')
    assert.equal((await once(child, 'exit'))[0], 0)
  })
})
