import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { App, type Program } from '../support/dserver.ts'
import { PidCalls } from '../support/pid-calls.ts'

const options = { timeout: 60_000, skip: process.platform !== 'linux' }

/** A server under load whose plan can be changed. */
async function loaded(
  t: TestContext,
  env: Record<string, unknown> = {},
): Promise<{ app: App; server: Program; calls: PidCalls; plan: (text: string) => void }> {
  const app = new App(t, env)
  const file = join(app.folder, 'plan.json')
  app.env.PLAN_FILE = file
  const plan = (text: string): void => writeFileSync(file, text)
  plan('{"hello":{"listen":"tcp://127.0.0.1:0"}}')
  const server = await app.start()
  const url = (await server.line(/^url /)).slice(4)
  const calls = new PidCalls(url)
  t.after(() => calls.end())
  await calls.seen(1)
  return { app, server, calls, plan }
}

test('reloads under load lose no call and no connection, and stop ends the last process', options, async (t) => {
  const { app, server, calls } = await loaded(t)
  for (let round = 1; round <= 2; round++) {
    const reloaded = await app.json('reload')
    assert.deepEqual([reloaded.exit, reloaded.error], [0, undefined])
    await calls.seen(round + 1)
    assert.equal(readFileSync(app.pidFile, 'utf8'), `${calls.pids[round]}`)
  }
  assert.equal(await server.exited, 0)
  assert.deepEqual(calls.failures, [])
  await calls.end()
  const { sandboxes } = await app.json('ctl', 'info')
  assert.match(JSON.stringify(sandboxes), new RegExp(`"state":"running","description":"pid ${calls.pids[2]},`))
  const stopped = await app.json('stop')
  assert.deepEqual([stopped.exit, stopped.pid], [0, calls.pids[2]])
})

test('a new process that throws, hangs or does not even run leaves the old one serving, and reload exits with 1', options, async (t) => {
  const { app, server, calls, plan } = await loaded(t, { OPTIONS: { reloadTimeout: 1500 } })
  plan('{"hello":{"listen":"tcp://127.0.0.1:0","setup":"throw"}}')
  const thrown = await app.json('reload')
  assert.deepEqual([thrown.exit, /hello cannot/.test(thrown.error as string)], [1, true], thrown.error as string)
  plan('{"hello":{"setup":"never"}}')
  const hung = await app.json('reload')
  assert.deepEqual([hung.exit, /not ready within 1500 ms/.test(hung.error as string)], [1, true], hung.error as string)
  plan('{')
  const broken = await app.json('reload')
  assert.deepEqual([broken.exit, /ended \(exit code 1\)/.test(broken.error as string)], [1, true], broken.error as string)
  assert.equal(readFileSync(app.pidFile, 'utf8'), `${server.child.pid}`)
  await calls.end()
  assert.deepEqual([calls.pids, calls.failures], [[server.child.pid], []])
  // The one that hung is gone too: it would keep the lock.
  assert.equal((await app.run('stop', '--timeout', '8s')).code, 0)
})

for (const setup of ['never', 'hang']) {
  test(`a new process that was given up does not outlive a stop right after it (setup: ${setup})`, {
    ...options,
    timeout: 20_000,
  }, async (t) => {
    const { app, server, calls, plan } = await loaded(t, { OPTIONS: { reloadTimeout: 800 } })
    plan(JSON.stringify({ hello: { setup } }))
    assert.equal((await app.json('reload')).exit, 1)
    await calls.end()
    assert.equal((await app.run('stop')).code, 0)
    await server.ended // and with it all processes that share its output
  })
}

test('a storm of SIGUSR2 reloads, loses no call, and ends with one process', options, async (t) => {
  const { app, server, calls } = await loaded(t)
  for (let i = 0; i < 100; i++) server.child.kill('SIGUSR2')
  await calls.seen(2)
  assert.equal(await server.exited, 0)
  assert.equal((await app.json('reload')).exit, 0)
  await calls.end()
  assert.deepEqual(calls.failures, [])
  assert.equal((await app.run('stop')).code, 0)
  await server.ended // and with it all processes that share its output
})

for (const model of ['single', 'multi'])
  test(`a reload during the start is refused at once, and does not hold the start up: ${model}`, options, async (t) => {
    const app = new App(t, { MODEL: model, PLAN: { hello: { setup: 'never' } } })
    const server = app.spawn('start')
    await server.line(/^setup hello/)
    assert.deepEqual(await app.json('reload'), { exit: 1, ok: false, command: 'reload', code: 1, error: 'the server is starting' })
    process.kill(server.child.pid as number, 'SIGUSR2')
    await server.line(/SIGUSR2 failed error="the server is starting"/)
    assert.equal(server.all(/^setup hello/).length, 1)
    server.child.kill('SIGKILL')
  })

test('SIGUSR2 reloads, and beforeStop can refuse that', options, async (t) => {
  const { app, server, calls } = await loaded(t)
  server.child.kill('SIGUSR2')
  await calls.seen(2)
  assert.equal(await server.exited, 0)
  await calls.end()
  assert.equal((await app.run('stop')).code, 0)
  const refusing = new App(t, { VETO: 'false' })
  await refusing.start()
  const refused = await refusing.json('reload')
  assert.deepEqual([refused.exit, refused.error], [1, 'refused by beforeStop'])
})

test('a stop while a new process starts ends both', { ...options, timeout: 20_000 }, async (t) => {
  const { app, server, calls, plan } = await loaded(t)
  plan('{"hello":{"setup":"never"}}')
  server.lines.length = 0
  server.child.kill('SIGUSR2')
  await server.line(/^setup hello$/)
  await calls.end()
  assert.equal((await app.run('stop')).code, 0)
  assert.equal((await server.ended).code, 0) // and with it all processes that share its output
  assert.match(server.lines.join('\n'), /SIGUSR2 failed error="the server is stopping"/)
})

test('a stop while beforeStop is asked for a reload starts no new process', { ...options, timeout: 20_000 }, async (t) => {
  const app = new App(t, { ASKED: '1' })
  const server = await app.start()
  server.child.kill('SIGUSR2')
  await server.line(/^asked$/)
  server.child.kill('SIGTERM')
  assert.equal((await server.ended).code, 0) // and with it all processes that share its output
  assert.equal(server.all(/^setup hello$/).length, 1)
})
