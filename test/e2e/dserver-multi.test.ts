import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { osAddon } from '../../src/dserver/os/native.ts'
import { App, type Program } from '../support/dserver.ts'
import { PidCalls } from '../support/pid-calls.ts'

const options = { timeout: 60_000, skip: process.platform !== 'linux' }

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface Process {
  readonly name: string
  readonly pid: number
  readonly state: string
}

async function processes(app: App): Promise<Process[]> {
  return (await app.json('ctl', 'ps')).processes as Process[]
}

/** Whether a process runs, which a zombie does not. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  } catch {
    return false
  }
}

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(runs)) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function started(t: TestContext): Promise<{ app: App; server: Program; url: string }> {
  const url = `tcp://127.0.0.1:${await freePort()}`
  const app = new App(t, {
    MODEL: 'multi',
    PLAN: { api: { service: 'web', dependsOn: ['db'], listen: url }, db: { service: 'data' }, cache: { service: 'data' } },
    SERVICES: { web: { instances: 2, listen: [url] } },
  })
  return { app, server: await app.start(), url }
}

test('each service is a process, started after those it depends on, seen and stopped as one application', options, async (t) => {
  const { app, server } = await started(t)
  const lines = server.all(/^(setup|ready) /)
  assert.ok(lines.indexOf('ready db') < lines.indexOf('setup api'), lines.join())
  const all = await processes(app)
  assert.deepEqual(
    all.map(({ name, state }) => `${name} ${state}`),
    ['app running', 'data running', 'web:0 running', 'web:1 running'],
  )
  const { sandboxes } = await app.json('ctl', 'info')
  const shown = (sandboxes as { name: string; service: string; state: string; pid: number }[]).map(
    ({ name, service, state, pid }) => `${service} ${name} ${state} ${all.find((each) => each.name === service)?.pid === pid}`,
  )
  assert.deepEqual(shown.sort(), ['data cache running true', 'data db running true', 'web:0 api running true', 'web:1 api running true'])
  const stop = await app.run('ctl', 'stop', 'cache')
  const again = await app.run('ctl', 'start', 'cache')
  assert.deepEqual([stop.code, again.code, (await app.json('ctl', 'stop', 'nobody')).exit], [0, 0, 2])
  assert.equal((await app.run('stop')).code, 0)
  assert.equal((await server.ended).code, 0)
  assert.deepEqual(
    all.filter(({ pid }) => runs(pid)),
    [],
  )
  assert.equal(server.all(/^gone (api|db)$/).at(-1), 'gone db')
})

test('a killed process comes back, and reload replaces all without a failed call', options, async (t) => {
  const { app, url } = await started(t)
  const calls = new PidCalls(url)
  t.after(() => calls.end())
  await calls.seen(2)
  const reloaded = await app.json('reload')
  assert.deepEqual([reloaded.exit, reloaded.error], [0, undefined])
  await calls.seen(4)
  await calls.end()
  assert.deepEqual(calls.failures, [])
  const killed = (await processes(app)).find(({ name }) => name === 'web:0') as Process
  process.kill(killed.pid, 'SIGKILL')
  await untilGone([killed.pid])
  let back: Process | undefined
  while (back?.state !== 'running' || back.pid === killed.pid) back = (await processes(app)).find(({ name }) => name === 'web:0')
  assert.equal((await app.run('stop')).code, 0)
})

test('a storm of SIGUSR2 reloads, loses no call, and leaves as many processes as before', options, async (t) => {
  const { app, server, url } = await started(t)
  const calls = new PidCalls(url)
  t.after(() => calls.end())
  await calls.seen(2)
  const before = await processes(app)
  for (let i = 0; i < 100; i++) server.child.kill('SIGUSR2')
  await calls.seen(4)
  // Joins what is under way, or comes after it.
  assert.equal((await app.json('reload')).exit, 0)
  await calls.end()
  assert.deepEqual(calls.failures, [])
  const after = await processes(app)
  assert.deepEqual(
    after.map(({ name, state }) => `${name} ${state}`),
    before.map(({ name, state }) => `${name} ${state}`),
  )
  assert.equal((await app.run('stop')).code, 0)
  await server.ended // and with it all processes that share its output
})

for (const during of ['the start of a new process', 'the end of an old one']) {
  test(`a stop during ${during} of a reload ends all in the time of a stop, and starts none`, {
    ...options,
    timeout: 25_000,
  }, async (t) => {
    const app = new App(t, { MODEL: 'multi', OPTIONS: { stopTimeout: 300, quitTimeout: 120_000 } })
    app.env.PLAN_FILE = join(app.folder, 'plan.json')
    const plan = (setup: string): void => {
      const how = { setup, shutdown: 'never' }
      writeFileSync(app.env.PLAN_FILE as string, JSON.stringify({ a: { service: 'one', ...how }, b: { service: 'two', ...how } }))
    }
    plan('')
    const server = await app.start()
    if (during === 'the start of a new process') plan('never')
    server.lines.length = 0
    server.child.kill('SIGUSR2')
    await server.line(during === 'the start of a new process' ? /^setup a$/ : /^shutdown a$/)
    server.child.kill('SIGTERM')
    assert.equal((await server.ended).code, 0) // and with it all processes that share its output
    assert.deepEqual(server.all(/^setup /), ['setup a'])
  })
}

test('a process that hangs when it shall stop ends with its master, though a quit would leave it more time', options, async (t) => {
  const settings = { stopTimeout: 200, quitTimeout: 50_000 }
  const app = new App(t, { MODEL: 'multi', PLAN: { hello: { shutdown: 'hang' } }, OPTIONS: settings })
  const server = await app.start()
  const [{ pid }] = (await app.json('ctl', 'info')).sandboxes as { pid: number }[]
  assert.equal((await app.run('stop')).code, 0)
  assert.equal(await server.exited, 1)
  assert.throws(() => process.kill(pid, 0), /ESRCH/)
})

test('the processes of a master that was killed end', options, async (t) => {
  const { app, server } = await started(t)
  const all = await processes(app)
  server.child.kill('SIGKILL')
  await untilGone(all.map(({ pid }) => pid))
  assert.equal((await app.run('stop')).code, 3)
})

const activation = { ...options, skip: options.skip || osAddon() === undefined || spawnSync('python3', ['-V']).error !== undefined }

test('a socket of the service manager is shared by all processes of a service, and outlives them', activation, async (t) => {
  const app = new App(t)
  const path = join(app.folder, 'web.sock')
  const url = `unix://${path}`
  Object.assign(app.env, {
    MODEL: 'multi',
    PLAN: JSON.stringify({ api: { service: 'web', listen: url } }),
    SERVICES: JSON.stringify({ web: { instances: 2, listen: [url] } }),
  })
  const script = fileURLToPath(new URL('fixtures/restart/activate.py', import.meta.url))
  const server = app.spawnBy(['python3', script, path, process.execPath], ['start'])
  await server.line(/dmicro info: ready/)
  const inode = statSync(path).ino
  const calls = new PidCalls(url)
  t.after(() => calls.end())
  await calls.seen(2)
  assert.equal((await app.json('reload')).exit, 0)
  await calls.seen(4)
  await calls.end()
  assert.deepEqual(calls.failures, [])
  assert.equal((await app.run('stop')).code, 0)
  assert.equal(statSync(path).ino, inode)
})

test('services that cannot start end the start with 1, and each says why', options, async (t) => {
  const throws = (service: string) => ({ service, setup: 'throw' })
  const app = new App(t, { PLAN: { a: { service: 'one' }, b: throws('two'), c: throws('three') } })
  const { exit, error } = await app.json('start', '--model', 'multi')
  assert.equal(exit, 1)
  assert.match(error as string, /two: b cannot/)
  assert.match(error as string, /three: c cannot/)
})

test('a wrong configuration of a service ends the start with 78, as in the single process model', options, async (t) => {
  const app = new App(t, { MODEL: 'multi', PLAN: { hello: { setup: 'config' } } })
  writeFileSync(join(app.folder, 'config.toml'), '[sandbox.hello]\nport = "high"\n')
  const { exit, code, error } = await app.json('start')
  assert.deepEqual([exit, code], [78, 78])
  assert.match(error as string, /config.toml:2: sandbox.hello.port must be a whole number from 1 to 65535, got "high"$/)
})

test('a sandbox that an operator starts, and whose process cannot, says why', options, async (t) => {
  const app = new App(t, { MODEL: 'multi', PLAN: { a: { service: 'one' }, b: { service: 'two', setup: 'throw' } } })
  await app.start('a')
  const { exit, error } = await app.json('ctl', 'start', 'b')
  assert.deepEqual([exit, /process two is not running.*: b cannot$/.test(error as string)], [1, true], error as string)
  assert.equal((await app.run('stop')).code, 0)
})
