import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { osAddon } from '../../src/dserver/os/native.ts'
import { App } from '../support/dserver.ts'
import { notificationSocket } from '../support/notification-socket.ts'
import { gone, isAlive } from '../support/supervisor.ts'

const options = { timeout: 30_000 }
const linux = { ...options, skip: process.platform !== 'linux' }

const noLimits = process.platform !== 'linux' || spawnSync('prlimit', ['--version']).status !== 0 ? 'needs prlimit(1)' : false

function killAfter(t: TestContext, pid: unknown): number {
  assert.ok(typeof pid === 'number' && pid > 1)
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
  })
  return pid
}

test('a daemon is ready when its start returns, in a session of its own, with its output in a log', linux, async (t) => {
  const app = new App(t, { PLAN: { hello: { setup: 'environment' } } })
  const started = await app.json('start', '-d')
  assert.deepEqual([started.exit, started.ok], [0, true])
  const pid = killAfter(t, started.pid)
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [, , , session, terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  assert.deepEqual([Number(session), Number(terminal)], [pid, 0])
  const log = readFileSync(started.logFile as string, 'utf8')
  assert.match(log, /^setup hello$/m)
  assert.doesNotMatch(log, /DMICRO_DAEMON/)
  assert.equal(readFileSync(app.pidFile, 'utf8'), `${pid}`)
  assert.equal((await app.json('start', '--daemon')).exit, 4)
  assert.equal((await app.json('stop')).exit, 0)
  assert.ok(!existsSync(app.pidFile))
  assert.ok(!isAlive(pid), 'it has ended when stop returns')
  assert.match(readFileSync(started.logFile as string, 'utf8'), /^gone hello$/m)
})

test('a daemon is reloaded, and opens its log anew on SIGUSR1 before and after', linux, async (t) => {
  const app = new App(t)
  const path = join(app.folder, 'app.log')
  const started = await app.json('start', '-d', '--log', path)
  let pid = killAfter(t, started.pid)
  for (const round of [1, 2]) {
    renameSync(path, `${path}.${round}`)
    process.kill(pid, 'SIGUSR1')
    await logged(path, /info: log opened anew/)
    assert.equal(readFileSync(`${path}.${round}`, 'utf8').split('log opened anew').length, round)
    const reloaded = await app.json('reload')
    assert.deepEqual([reloaded.exit, reloaded.error], [0, undefined])
    await logged(path, /^setup hello$[\s\S]*^gone hello$/m)
    const next = killAfter(t, Number(readFileSync(app.pidFile, 'utf8')))
    assert.notEqual(next, pid)
    await gone(pid)
    pid = next
  }
  assert.equal((await app.json('stop')).exit, 0)
  assert.ok(!isAlive(pid), 'it has ended when stop returns')
})

/** Waits until a file has a text. */
async function logged(path: string, pattern: RegExp): Promise<void> {
  while (!existsSync(path) || !pattern.test(readFileSync(path, 'utf8'))) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('a daemon whose disk is full serves on, and writes again when there is room', { ...linux, skip: noLimits }, async (t) => {
  const app = new App(t)
  const path = join(app.folder, 'app.log')
  writeFileSync(path, '')
  // Files of 8 KiB at most, of which the log has all but nothing left.
  const limited = ['sh', '-c', 'trap "" XFSZ; ulimit -S -f 16; exec "$0" "$@"', process.execPath]
  writeFileSync(path, 'x'.repeat(8190))
  const { out } = await app.spawnBy(limited, ['start', '-d', '--log', path, '--json']).ended
  const pid = killAfter(t, JSON.parse(out).pid)
  assert.equal((await app.json('ctl', 'config')).exit, 0)
  assert.equal(statSync(path).size, 8192)
  assert.equal(spawnSync('prlimit', [`--pid=${pid}`, '--fsize=unlimited']).status, 0)
  assert.equal((await app.json('ctl', 'config')).exit, 0)
  await logged(path, /configuration read again/)
  assert.equal((await app.json('stop')).exit, 0)
})

test('a log of a relative path is opened anew where it was, wherever the application has gone', linux, async (t) => {
  const app = new App(t, { PLAN: { hello: { setup: 'chdir' } } })
  const pid = killAfter(t, (await app.json('start', '-d', '--log', 'app.log')).pid)
  const path = join(app.folder, 'app.log')
  renameSync(path, `${path}.1`)
  process.kill(pid, 'SIGUSR1')
  await logged(path, /info: log opened anew/)
  assert.equal((await app.json('stop')).exit, 0)
})

test('a start in the background with sockets of a service manager is refused', linux, async (t) => {
  const app = new App(t, { LISTEN_FDS: '1' })
  const refused = await app.json('start', '-d')
  if (refused.pid !== undefined) killAfter(t, refused.pid)
  assert.deepEqual([refused.exit, /runs in the foreground: leave out -d/.test(refused.error as string)], [2, true])
})

test('a log that cannot be opened anew is told in the old one', linux, async (t) => {
  const app = new App(t)
  const started = await app.json('start', '-d', '--log', join(app.folder, 'app.log'))
  const pid = killAfter(t, started.pid)
  renameSync(join(app.folder, 'app.log'), join(app.folder, 'old.log'))
  mkdirSync(join(app.folder, 'app.log'))
  process.kill(pid, 'SIGUSR1')
  await logged(join(app.folder, 'old.log'), /SIGUSR1 failed error="cannot open the log .*EISDIR/)
  assert.equal((await app.json('stop')).exit, 0)
})

test('a daemon that cannot start tells why, with the exit code of its failure', linux, async (t) => {
  const app = new App(t, { PLAN: { hello: { setup: 'throw' } } })
  const failed = await app.json('start', '-d')
  assert.deepEqual([failed.exit, failed.error], [1, 'hello cannot'])
  const wrong = await app.json('start', '-d', '--set', 'nothing')
  assert.deepEqual([wrong.exit, /must be key=value/.test(wrong.error as string)], [78, true])
  assert.equal((await app.json('stop')).exit, 3)
})

const notified = {
  ...linux,
  skip: process.platform !== 'linux' || spawnSync('python3', ['-V']).error ? 'needs python3 for the socket' : false,
}

for (const kind of ['of a path', 'of an abstract name']) {
  test(`a service manager is told on a socket ${kind}: ready, reloading, alive, stopping`, notified, async (t) => {
    const app = new App(t, { PLAN: { hello: { setup: 'environment' } } })
    const path = kind === 'of a path' ? join(app.folder, 'notify.sock') : `@dserver-test-${process.pid}`
    const manager = await notificationSocket(t, path)
    Object.assign(app.env, { NOTIFY_SOCKET: path, WATCHDOG_USEC: '150000' })
    const server = await app.start()
    await manager.line(new RegExp(`^READY=1\\|STATUS=1 sandboxes run\\|MAINPID=${server.child.pid}$`))
    await manager.line(/^WATCHDOG=1$/)
    assert.equal((await app.run('ctl', 'config')).code, 0)
    await manager.line(/^RELOADING=1\|MONOTONIC_USEC=\d+$/)
    await manager.line(/^READY=1\|STATUS=configuration read again/)
    assert.equal((await app.run('stop')).code, 0)
    await manager.line(/^STOPPING=1$/)
    assert.doesNotMatch(server.lines.join('\n'), /NOTIFY_SOCKET|WATCHDOG_USEC/)
  })
}

test('a service manager is not told of a server that is still starting, whatever an operator asks meanwhile', notified, async (t) => {
  const app = new App(t, { PLAN: { hello: { setup: 'never' } } })
  const manager = await notificationSocket(t, join(app.folder, 'notify.sock'))
  app.env.NOTIFY_SOCKET = join(app.folder, 'notify.sock')
  const server = app.spawn('start')
  await server.line(/^setup hello/)
  assert.equal((await app.run('ctl', 'config')).code, 0)
  assert.equal((await app.run('reload')).code, 1)
  server.child.kill('SIGTERM')
  await manager.line(/^STOPPING=1$/)
  assert.deepEqual(manager.all(/READY|RELOADING/), [])
  await server.exited
})

/** Runs a program with a terminal of its own, closes that once it has printed `ready`, and prints how it ended. */
const CLOSING = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
text = b''
while b'info: ready' not in text: text += os.read(terminal, 4096)
os.close(terminal)
print(os.waitpid(pid, 0)[1])
`

test('a server whose terminal closes stops, and ends by its exit code', {
  ...notified,
  skip: notified.skip || (osAddon() === undefined && 'no addon'),
}, async (t) => {
  const app = new App(t)
  const closing = app.spawnBy(['python3', '-c', CLOSING, process.execPath], ['start'])
  const { out, err } = await closing.ended
  assert.deepEqual([out, err, existsSync(app.pidFile)], ['0\n', '', false])
})

test('a manager that has gone away harms nobody', linux, async (t) => {
  const app = new App(t, { NOTIFY_SOCKET: '/nowhere/notify.sock', WATCHDOG_USEC: '1000' })
  await app.start()
  assert.equal((await app.run('stop')).code, 0)
})

const namespace = ['unshare', '-rpf', '--mount-proc', '--kill-child']
const isolated = { ...linux, skip: spawnSync(namespace[0], [...namespace.slice(1), 'true']).status === 0 ? false : 'needs namespaces' }

test('as pid 1 a server takes signals, and its pid 1 is nobody else’s', isolated, async (t) => {
  const app = new App(t)
  const server = app.spawnBy([...namespace, process.execPath], ['start'])
  await server.line(/dmicro info: ready name="app" pid=1 /)
  assert.equal(readFileSync(app.pidFile, 'utf8'), '1')
  const inner = readFileSync(`/proc/${server.child.pid}/task/${server.child.pid}/children`, 'utf8').trim()
  process.kill(Number(inner), 'SIGTERM')
  assert.equal((await server.ended).code, 0)
  assert.ok(!existsSync(app.pidFile))
})

test('the pid of another namespace is never signalled', isolated, async (t) => {
  const app = new App(t, { OPTIONS: { control: false } })
  const server = app.spawnBy([...namespace, process.execPath], ['start'])
  await server.line(/dmicro info: ready/)
  const refused = await app.json('stop')
  assert.deepEqual([refused.exit, /process 1 is not the server/.test(refused.error as string)], [1, true])
})

test('a log that cannot be opened ends the start of a daemon', linux, async (t) => {
  const app = new App(t)
  mkdirSync(join(app.folder, 'log'))
  const failed = await app.json('start', '-d', '--log', join(app.folder, 'log'))
  assert.deepEqual(
    [failed.exit, /^cannot open the log [^ ]+: EISDIR: [^:]+$/.test(failed.error as string)],
    [1, true],
    failed.error as string,
  )
  writeFileSync(join(app.folder, 'old.log'), 'before\n')
  const started = await app.json('start', '-d', '--log', join(app.folder, 'old.log'))
  killAfter(t, started.pid)
  assert.match(readFileSync(join(app.folder, 'old.log'), 'utf8'), /^before\nsetup hello$/m)
  assert.equal((await app.json('stop')).exit, 0)
})
