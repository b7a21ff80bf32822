import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { App } from '../support/dserver.ts'

const options = { timeout: 30_000 }
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('a server starts, is seen, refuses a second start, and stops with nothing left behind', options, async (t) => {
  const app = new App(t)
  const server = await app.start()
  assert.equal(readFileSync(app.pidFile, 'utf8'), `${server.child.pid}`)
  assert.deepEqual([mode(app.runtime), mode(app.pidFile), mode(app.socket)], ['700', '600', '600'])
  const [info, second] = await Promise.all([app.json('ctl', 'info'), app.json('start')])
  assert.equal(info.exit, 0)
  assert.match(
    JSON.stringify(info.sandboxes),
    /"name":"hello","service":"default","state":"running","description":"pid \d+, uptime 0:00:0\d"/,
  )
  assert.deepEqual([second.exit, second.code], [4, 4])
  assert.match(second.error as string, new RegExp(`already running as process ${server.child.pid} `))
  const stopped = await app.json('stop')
  assert.deepEqual([stopped.exit, stopped.ok, stopped.pid], [0, true, server.child.pid])
  assert.deepEqual([(await server.ended).code, server.all(/^(setup|shutdown) /)], [0, ['setup hello', 'shutdown hello']])
  assert.deepEqual([existsSync(app.pidFile), existsSync(app.socket)], [false, false])
})

test('commands without a server exit with 3, bad ones with 2, version with 0', options, async (t) => {
  const app = new App(t)
  const codes = await Promise.all(
    [
      ['stop'],
      ['quit'],
      ['reload'],
      ['ctl', 'ps'],
      ['begin'],
      ['start', '--colour'],

      ['stop', '--timeout', 'soon'],
    ].map(async (args) => (await app.run(...args)).code),
  )
  assert.deepEqual(codes, [3, 3, 3, 3, 2, 2, 2])
  assert.equal((await app.run('start', 'nobody')).code, 2)
  const version = await app.json('version')
  assert.deepEqual([version.exit, version.name, version.node], [0, 'app', process.version])
})

test('of several starts at once one serves, and the others exit with 4', options, async (t) => {
  const app = new App(t)
  const all = Array.from({ length: 4 }, () => app.spawn('start'))
  const serving = await Promise.any(all.map((each) => each.line(/dmicro info: ready/).then(() => each)))
  const others = await Promise.all(all.filter((each) => each !== serving).map(({ ended }) => ended))
  assert.deepEqual(
    others.map(({ code }) => code),
    [4, 4, 4],
  )
  assert.equal((await app.run('stop')).code, 0)
})

test('a server that was killed leaves files that are no obstacle', options, async (t) => {
  const app = new App(t)
  const first = await app.start()
  first.child.kill('SIGKILL')
  await first.ended
  assert.ok(existsSync(app.pidFile) && existsSync(app.socket))
  assert.equal((await app.run('stop')).code, 3)
  await app.start()
  assert.equal((await app.run('stop')).code, 0)
})

test('a pid file that names a process of something else harms neither it nor the start', options, async (t) => {
  const app = new App(t)
  mkdirSync(app.runtime, { mode: 0o700 })
  for (const text of [`${process.pid}`, '0', '-1', '1', 'x'.repeat(10_000), '']) {
    writeFileSync(app.pidFile, text)
    assert.equal((await app.run('stop')).code, 3, text.slice(0, 9))
  }
  const server = await app.start()
  assert.equal(readFileSync(app.pidFile, 'utf8'), `${server.child.pid}`)
  assert.equal((await app.run('stop')).code, 0)
})

test('links and folders by which another user could interfere are refused', options, async (t) => {
  const app = new App(t)
  const victim = join(app.folder, 'victim')
  writeFileSync(victim, 'precious')
  mkdirSync(app.runtime, { mode: 0o700 })
  symlinkSync(victim, app.pidFile)
  const linked = await app.json('start')
  assert.deepEqual([linked.exit, readFileSync(victim, 'utf8')], [1, 'precious'])
  chmodSync(app.runtime, 0o777)
  assert.match((await app.json('start')).error as string, /others may write into it: chmod go-w /)
  app.env.DMICRO_RUNTIME_DIR = join(victim, 'run')
  assert.match((await app.json('start')).error as string, /cannot use the folder .*victim\/run: ENOTDIR/)
})

test('a full disk is told at the start', { ...options, skip: process.platform === 'win32' }, async (t) => {
  const app = new App(t)
  const server = app.spawnBy(['sh', '-c', 'trap "" XFSZ; ulimit -f 0; exec "$0" "$@"', process.execPath], ['start'])
  const { code, err } = await server.ended
  assert.deepEqual([code, /cannot write .*app.pid: EFBIG/.test(err)], [1, true], err)
})

test('a socket that a stranger left, or a file in its place, is replaced', options, async (t) => {
  const app = new App(t)
  mkdirSync(app.runtime, { mode: 0o700 })
  writeFileSync(app.socket, 'no socket')
  await app.start()
  assert.equal((await app.run('stop')).code, 0)
})

test('a setup that throws ends the start with 1, and stops what has started', options, async (t) => {
  const app = new App(t, { PLAN: { db: {}, api: { dependsOn: ['db'], setup: 'throw' }, page: { dependsOn: ['api'] } } })
  const server = app.spawn('start')
  const { code, err } = await server.ended
  assert.deepEqual(
    [code, server.all(/^(setup|ready|shutdown|gone) /)],
    [1, ['setup db', 'ready db', 'setup api', 'shutdown db', 'gone db']],
  )
  assert.match(err, /^api cannot$/m)
  assert.ok(!existsSync(app.pidFile) && !existsSync(app.socket))
})

test('an optional sandbox whose setup throws holds nobody up', options, async (t) => {
  const app = new App(t, { PLAN: { extra: { optional: true, setup: 'throw' }, hello: {} } })
  await app.start()
  const { sandboxes } = await app.json('ctl', 'info')
  const states = (sandboxes as { name: string; state: string; description: string }[]).map(({ name, state }) => `${name} ${state}`)
  assert.deepEqual(states, ['extra fatal', 'hello running'])
  assert.equal((await app.run('stop')).code, 0)
})

test('a setup that never ends fails the start in its time', options, async (t) => {
  const app = new App(t, { PLAN: { hello: { setup: 'never' } }, OPTIONS: { setupTimeout: 100 } })
  const { code, err } = await app.run('start')
  assert.deepEqual([code, /setup of sandbox hello did not end within 100 ms/.test(err)], [1, true], err)
})

test('a stop during the start aborts the setup', options, async (t) => {
  const app = new App(t, { PLAN: { hello: { setup: 'aborted' } } })
  const server = app.spawn('start')
  await server.line(/^setup hello/)
  assert.equal((await app.run('stop')).code, 0)
  assert.deepEqual([(await server.ended).code, server.all(/^shutdown/)], [0, []])
})

test('a shutdown that throws or never ends holds up nobody else, and shows in the exit code', options, async (t) => {
  const plan = { db: {}, api: { dependsOn: ['db'], shutdown: 'never' }, page: { dependsOn: ['db'], shutdown: 'throw' } }
  const app = new App(t, { PLAN: plan, OPTIONS: { stopTimeout: 200 } })
  const server = await app.start()
  assert.equal((await app.run('stop')).code, 0)
  const { code, err } = await server.ended
  assert.deepEqual([code, server.all(/^gone/)], [1, ['gone db']])
  assert.match(err, /shutdown of sandbox api did not end within \d+ ms/)
  assert.match(err, /page cannot/)
})

test('signals in a storm stop the server once', options, async (t) => {
  const app = new App(t)
  const server = await app.start()
  for (let i = 0; i < 200; i++)
    for (const signal of ['SIGUSR1', 'SIGHUP', 'SIGTERM', 'SIGQUIT', 'SIGTERM'] as const) server.child.kill(signal)
  assert.deepEqual(await server.ended.then(({ code, signal }) => [code, signal]), [0, null])
  assert.deepEqual(server.all(/^shutdown/), ['shutdown hello'])
})

test('beforeStop can refuse to stop, and a signal does not get past it either', options, async (t) => {
  const app = new App(t, { VETO: 'false' })
  const server = await app.start()
  const refused = await app.json('stop')
  assert.deepEqual([refused.exit, refused.error], [1, 'not stopped: refused by beforeStop'])
  server.child.kill('SIGTERM')
  await server.line(/SIGTERM failed/)
  assert.equal((await app.run('ctl')).code, 0)
})

test('sandboxes start after what they depend on, stop before it, and one by one by an operator', options, async (t) => {
  const app = new App(t, { PLAN: { page: { dependsOn: ['api'] }, api: { dependsOn: ['DB'] }, db: {}, other: {} } })
  const server = await app.start('API')
  await server.line(/^ready api$/)
  assert.deepEqual(server.all(/^setup/), ['setup db', 'setup api'])
  const started = await app.run('ctl', 'start', 'page')
  const again = await app.json('ctl', 'start', 'page')
  const needed = await app.json('ctl', 'stop', 'db')
  const unknown = await app.json('stop', 'nobody')
  assert.deepEqual([started.code, again.exit, needed.exit, unknown.exit], [0, 1, 1, 2])
  assert.deepEqual([again.error, needed.error], ['sandbox page is running already', 'sandbox db is needed by api'])
  assert.equal((await app.run('stop', 'page,api')).code, 0)
  await server.line(/^gone api$/)
  assert.deepEqual(server.all(/^shutdown/), ['shutdown page', 'shutdown api'])
  assert.equal((await app.run('quit')).code, 0)
  await server.ended
  assert.deepEqual(server.all(/^shutdown/), ['shutdown page', 'shutdown api', 'shutdown db'])
})

test('stop gives up with 5 when the server does not end in the time of the command', options, async (t) => {
  const app = new App(t, { PLAN: { hello: { shutdown: 'never' } } })
  await app.start()
  assert.equal((await app.json('stop', '--timeout', '300ms')).exit, 5)
})

test('a server without a socket is stopped by a signal', options, async (t) => {
  const app = new App(t, { OPTIONS: { control: false } })
  const server = await app.start()
  assert.equal((await app.run('stop')).code, 0)
  assert.equal((await server.ended).code, 0)
})

test('a server survives that nobody reads its output any more', options, async (t) => {
  const app = new App(t)
  const server = await app.start()
  server.child.stdout?.destroy()
  server.child.stderr?.destroy()
  server.child.kill('SIGHUP')
  assert.equal((await app.run('ctl', 'config')).code, 0)
  assert.equal((await app.run('stop')).code, 0)
})

test('two applications of different pid files do not meet', options, async (t) => {
  const app = new App(t)
  const other = join(app.folder, 'other.pid')
  const first = await app.start()
  const second = await app.start('--pid', other)
  assert.equal(readFileSync(other, 'utf8'), `${second.child.pid}`)
  assert.equal((await app.run('stop', '--pid', other)).code, 0)
  assert.equal((await second.ended).code, 0)
  assert.equal((await app.json('ctl', 'ps')).exit, 0)
  assert.equal(first.child.exitCode, null)
})
