import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Endpoint, type Session, StatusError } from 'dmicro'
import { osAddon } from '../../src/dserver/os/native.ts'
import { App, type Program } from '../support/dserver.ts'

const options = { timeout: 30_000 }
const linux = { ...options, skip: process.platform !== 'linux' }
const listening = { PLAN: { hello: { listen: 'tcp://127.0.0.1:0' }, quiet: {} } }

/** A session with the sandbox that a program has said it listens with. */
async function dial(t: TestContext, url: string, extra: object = {}): Promise<Session> {
  const endpoint = new Endpoint({ log: false, ...extra })
  t.after(() => endpoint.close({ timeout: 0 }))
  return endpoint.dial(url)
}

async function dialSandbox(t: TestContext, server: Program): Promise<Session> {
  return dial(t, (await server.line(/^url /)).slice(4))
}

/** A client of the control socket that does what no client of ours does. */
function dialControl(t: TestContext, app: App, endpoint = new Endpoint({ log: false, protocol: 'protobuf' })): Promise<Session> {
  t.after(() => endpoint.close({ timeout: 0 }))
  return endpoint.dial(`unix://${app.socket}`)
}

/** Starts to follow the log; resolves when the server has taken the filter. */
async function follow(app: App, ...args: string[]): Promise<Program> {
  const program = app.spawn('ctl', 'log', '-f', '--json', ...args)
  await program.line(/"text":"ready/)
  return program
}

class Deferred {
  resolve = (): void => {}
  readonly promise = new Promise<void>((resolve) => {
    this.resolve = resolve
  })
}

interface Process {
  name: string
  pid: number
  sessions: number
  calls: number
  loopDelay: number
  memory: number
  heap: number
  cpu: number
}

test('ps tells CPU, memory, delay of the event loop, sessions and calls that run', options, async (t) => {
  const app = new App(t, listening)
  const server = await app.start()
  const session = await dialSandbox(t, server)
  session.call('/never').catch(() => {})
  await session.call('/block', 300)
  const { processes } = await app.json('ctl', 'ps')
  const [own] = processes as Process[]
  assert.deepEqual([own.name, own.pid, own.sessions, own.calls], ['app', server.child.pid, 1, 1])
  assert.ok(own.loopDelay >= 200 && own.memory > own.heap && own.heap > 0 && own.cpu > 0, JSON.stringify(own))
  const table = (await app.run('ctl', 'ps')).out.split('\n')
  assert.match(table[0], /^NAME +PID +STATE +UPTIME +CPU +MEMORY +LOOP DELAY +SESSIONS +CALLS +RESTARTS$/)
  assert.match(table[1], /^app +\d+ +running +0:00:\d\d +[\d.]+ % +[\d.]+ MiB +[\d.]+ ms +1 +1 +-$/)
})

test('each client that follows the log has filters of its own', options, async (t) => {
  const app = new App(t, listening)
  const server = await app.start()
  const session = await dialSandbox(t, server)
  const all = await follow(app)
  const debug = await follow(app, '-l', 'debug', '-n', 'HELLO', '-n', 'app')
  const warnings = app.spawn('ctl', 'log', '-l', 'WARN', '--follow')
  await session.call('/log', ['warn', 'first'])
  await warnings.line(/\[WARN\] app: first sandbox="hello"/)
  for (const level of ['debug', 'info', 'error']) await session.call('/log', [level, `line of ${level}`])
  await Promise.all([all, debug, warnings].map((each) => each.line(/line of error/)))
  assert.deepEqual(
    warnings.lines.map((line) => line.slice(25)),
    ['[WARN] app: first sandbox="hello"', '[ERRO] app: line of error sandbox="hello"'],
  )
  assert.equal(all.all(/line of debug/).length, 1)
  const { sandbox, level } = JSON.parse(debug.all(/line of debug/)[0])
  assert.deepEqual([sandbox, level], ['hello', 'debug'])
  for (const each of [all, debug, warnings]) each.child.kill('SIGINT')
  for (const each of [all, debug, warnings]) assert.equal((await each.ended).code, 0)
  assert.deepEqual(server.all(/line of debug/), [])
  const { lines } = await app.json('ctl', 'log', '-n', 'hello', '--lines', '2')
  assert.deepEqual(
    (lines as { text: string }[]).map(({ text }) => text),
    ['line of info sandbox="hello"', 'line of error sandbox="hello"'],
  )
  assert.equal((await app.json('ctl', 'log', '-l', 'loud')).exit, 2)
})

test('debug lines are switched on and off while the server runs', options, async (t) => {
  const app = new App(t, listening)
  const server = await app.start()
  const session = await dialSandbox(t, server)
  const say = (text: string): Promise<unknown> => session.call('/log', ['debug', text])
  await say('one')
  assert.equal((await app.run('ctl', 'debug', 'on')).code, 0)
  await say('two')
  await server.line(/^dmicro debug: two/)
  assert.equal((await app.run('ctl', 'debug', 'off')).code, 0)
  await say('three')
  assert.equal((await app.run('ctl', 'debug', 'perhaps')).code, 2)
  assert.deepEqual(server.all(/dmicro debug:/), ['dmicro debug: two sandbox="hello"'])
})

test('in the multi process model the log, debug and ps are those of all processes', linux, async (t) => {
  const plan = { one: { service: 'a', listen: 'tcp://127.0.0.1:0' }, two: { service: 'b' } }
  const app = new App(t, { PLAN: plan, MODEL: 'multi' })
  const server = await app.start()
  const session = await dialSandbox(t, server)
  const follower = await follow(app, '--lines', '100')
  assert.match(await follower.line(/"process":"a".*sandbox ready/), /"sandbox":"one"/)
  await session.call('/log', ['debug', 'deep'])
  await follower.line(/"level":"debug","process":"a",.*"text":"deep sandbox/)
  const only = app.spawn('ctl', 'log', '-f', '--json', '-n', 'b')
  await only.line(/"process":"b".*sandbox ready/)
  assert.equal((await app.run('ctl', 'stop', 'two')).code, 0)
  await only.line(/sandbox stopped/)
  assert.deepEqual(only.all(/"process":"(?!b")/), [])
  await app.run('ctl', 'debug', '1')
  await session.call('/log', ['debug', 'seen'])
  await server.line(/^dmicro debug: seen/)
  const processes = (await app.json('ctl', 'ps')).processes as Process[]
  assert.deepEqual(
    processes.map(({ name, sessions }) => [name, sessions]),
    [
      ['app', 0],
      ['a', 1],
      ['b', 0],
    ],
  )
  // A process that starts anew is followed too.
  assert.equal((await app.run('ctl', 'reload', 'b')).code, 0)
  await app.run('ctl', 'stop', 'two')
  const stopped = new RegExp(`"process":"b","pid":(?!${processes[2].pid})\\d+,.*sandbox stopped`)
  await only.line(stopped)
})

test('what processes of services print is in the log, and what they died of', linux, async (t) => {
  const plan = { one: { service: 'a', listen: 'tcp://127.0.0.1:0' }, two: { service: 'b' } }
  const app = new App(t, { PLAN: plan, MODEL: 'multi' })
  const server = await app.start()
  const session = await dialSandbox(t, server)
  const follower = await follow(app, '-n', 'a')
  const { pid } = ((await app.json('ctl', 'ps')).processes as Process[]).find(({ name }) => name === 'a') as Process
  for (const text of ['half a ', 'line\n']) await session.call('/print', ['stdout', text])
  await follower.line(new RegExp(`"level":"info","process":"a","pid":${pid},.*"text":"half a line"`))
  await session.call('/print', ['stderr', 'oh\n'])
  await follower.line(/"level":"warn",.*"text":"oh"/)
  await session.call('/log', ['info', 'logged'])
  await follower.line(/"text":"logged sandbox/)
  assert.equal(follower.all(/logged/).length, 1, 'a line of the logger comes once')
  await session.call('/die', 'out of luck')
  await follower.line(new RegExp(`"level":"warn","process":"a","pid":${pid},.*"text":"Error: out of luck"`))
  const late = await app.json('ctl', 'log', '--lines', '100', '-l', 'warn')
  assert.match(JSON.stringify(late), /out of luck/)
  assert.doesNotMatch(JSON.stringify(late), /half a line/)
})

test('the last words of a process are found, whether printed without a line end or logged, and whose they are', linux, async (t) => {
  const plan = { one: { service: 'a', listen: 'tcp://127.0.0.1:0' }, two: { service: 'b' } }
  const app = new App(t, { PLAN: plan, MODEL: 'multi' })
  const server = await app.start()
  const session = await dialSandbox(t, server)
  const processes = (await app.json('ctl', 'ps')).processes as Process[]
  const pids = Object.fromEntries(processes.map(({ name, pid }) => [name, pid]))
  await session.call('/log', ['error', 'cannot reach database'])
  const follower = await follow(app)
  await session.call('/print', ['stderr', 'last words'])
  process.kill(pids.a, 'SIGKILL')
  await follower.line(new RegExp(`"level":"warn","process":"a","pid":${pids.a},.*"text":"last words"`))
  const late = await app.json('ctl', 'log', '--lines', '100', '-l', 'warn')
  assert.equal(JSON.stringify(late).match(/cannot reach database/g)?.length, 1)
  // What the old process says while it ends is not said by the new one.
  assert.equal((await app.run('ctl', 'reload', 'b')).code, 0)
  await follower.line(new RegExp(`"process":"b","pid":${pids.b},.*sandbox stopped`))
  await follower.line(new RegExp(`"process":"b","pid":${pids.b},.*"text":"gone two"`))
})

test('a slow reader loses lines, is told how many and where, and holds up nobody', options, async (t) => {
  const app = new App(t, listening)
  const server = await app.start()
  const session = await dialSandbox(t, server)
  const endpoint = new Endpoint({ log: false, protocol: 'protobuf', limits: { maxDepth: 32 } })
  const items: { text?: string; lost?: number }[] = []
  const [slow, gap, end] = [new Deferred(), new Deferred(), new Deferred()]
  endpoint.routeCall('/dserver/log/lines', async (batch: typeof items) => {
    items.push(...batch)
    if (batch.some(({ lost }) => lost !== undefined)) gap.resolve()
    if (batch.some(({ text }) => text?.startsWith('the end'))) end.resolve()
    await slow.promise
    return null
  })
  const control = await dialControl(t, app, endpoint)
  await control.call('/dserver/log', { mask: 1008, names: ['hello'], lines: 0, follow: true })
  await session.call('/log', ['debug', 'first'])
  await session.call('/log', ['debug', 'many', 5000])
  slow.resolve()
  await gap.promise
  await session.call('/log', ['debug', 'the end'])
  await end.promise
  const lost = items.reduce((sum, item) => sum + (item.lost ?? 0), 0)
  assert.ok(lost > 0)
  assert.equal(items.filter(({ text }) => text !== undefined).length + lost, 5002)
})

test('a follower goes on with the server that takes over at a reload', linux, async (t) => {
  const app = new App(t)
  await app.start()
  const follower = await follow(app)
  assert.equal((await app.run('reload')).code, 0)
  const { pid } = ((await app.json('ctl', 'ps')).processes as Process[])[0]
  const seen = { line: false }
  const line = follower.line(new RegExp(`"pid":${pid},.*sandbox stopped`)).then(() => {
    seen.line = true
  })
  // It hears what is logged from the moment on that it has found the new server.
  while (!seen.line) for (const command of ['stop', 'start']) await app.run('ctl', command, 'hello')
  await line
  assert.equal((await app.run('stop')).code, 0)
  assert.equal((await follower.ended).code, 3)
})

test('a follower gets what was written while it looked for the next server, once, and learns what is missing', linux, async (t) => {
  const app = new App(t, { PLAN: { hello: { listen: 'tcp://127.0.0.1:0' } } })
  const server = await app.start()
  const follower = await follow(app, '-l', 'info')
  assert.equal((await app.run('reload')).code, 0)
  // The process before has not ended yet, and the follower is with it.
  const session = await dialSandbox(t, server)
  const pid = await session.call<number>('/pid')
  assert.notEqual(pid, server.child.pid)
  for (let i = 0; i < 3; i++) await session.call('/log', ['info', `missed ${i}.`])
  await session.call('/log', ['warn', 'a warning'])
  await session.call('/log', ['info', 'storm', 600])
  await server.exited
  await follower.line(/"text":"a warning/)
  await session.call('/log', ['info', 'found'])
  await follower.line(/"text":"found/)
  assert.equal((await app.run('stop')).code, 0)
  assert.equal((await follower.ended).code, 3)
  const items = follower.lines.map(
    (line) => JSON.parse(line) as { pid?: number; text?: string; lost?: number; nth?: number; level: string },
  )
  const texts = items.flatMap(({ text }) => text ?? [])
  const of = (pattern: RegExp): string[] => texts.filter((text) => pattern.test(text))
  assert.deepEqual(
    of(/^missed/).map((text) => text.split(' ')[1]),
    ['0.', '1.', '2.'],
  )
  assert.equal(of(/^a warning/).length, 1)
  const lost = items.reduce((sum, item) => sum + (item.lost ?? 0), 0)
  const infos = items.filter((item) => item.pid === pid && item.level === 'info' && item.nth !== undefined)
  assert.equal(infos.length + lost, infos.at(-1)?.nth, 'each line is there or counted')
  assert.equal(new Set(infos.map(({ nth }) => nth)).size, infos.length, 'none comes twice')
  assert.ok(lost > 0)
  assert.match(texts.at(-1) as string, /^stopped/, 'the last words are heard')
})

test('Go’s calls get Go’s bodies and codes', options, async (t) => {
  const app = new App(t)
  const server = await app.start()
  const control = await dialControl(t, app)
  const info = await control.call<{ list: Record<string, string>[] }>('/ctl/info')
  assert.match(info.list[0].Description, new RegExp(`^pid ${server.child.pid}, uptime 0:00:\\d\\d$`))
  const { Description, ...rest } = info.list[0]
  assert.deepEqual(rest, { SandBoxName: 'hello', ServiceName: 'default', Status: 'Running' })
  const code = async (name: string, arg?: unknown): Promise<number> =>
    control.call(name, arg).then(
      () => 0,
      (error: StatusError) => error.code,
    )
  assert.deepEqual(await Promise.all([code('/ctl/start', ''), code('/ctl/start', 'nobody'), code('/ctl/start', 'hello')]), [100, 101, 102])
  assert.deepEqual(await control.call('/ctl/stop', 'hello'), {})
  assert.deepEqual((await control.call<typeof info>('/ctl/info')).list[0], { ...rest, Status: 'Stopped' })
  assert.deepEqual(await control.call('/ctl/debug', true), {})
})

test('the shell reads commands, also from a file, and its exit code is that of the last one that failed', options, async (t) => {
  const app = new App(t)
  await app.start()
  const run = async (text: string): Promise<{ code: number | null; out: string; err: string }> => {
    const shell = app.spawnBy(['sh', '-c', `printf '%s\\n' "$0" | "$@"`, text, process.execPath], ['ctl', 'shell'])
    return shell.ended
  }
  const { code, out } = await run('info\n\nlog -l "info" --lines 1\nps --json\nhelp')
  assert.equal(code, 0)
  assert.match(out, /SANDBOX .*\nhello .*\n.*\[INFO\] app: ready.*\n\{"ok":true.*\}\ninfo {16}the sandboxes/)
  const failed = await run('stop nobody\ninfo\nexit\nstop hello')
  assert.deepEqual([failed.code, /no sandbox "nobody"/.test(failed.err)], [2, true])
  assert.equal((await run('log --colour')).code, 2)
  assert.match((await app.run('ctl', 'info')).out, /running/)
})

/** Resolves when the server has closed the connection. */
async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {}).resume()
  await once(socket, 'close')
}

test('clients that send garbage, too much, or come in numbers, are refused, and the server answers on', options, async (t) => {
  const app = new App(t)
  await app.start()
  const garbage = connect(app.socket)
  garbage.write(Buffer.alloc(64, 0xff))
  await closed(garbage)
  const large = await dialControl(t, app)
  await assert.rejects(large.call('/ctl/stop', 'x'.repeat(2_000_000)), StatusError)
  const deep = await dialControl(t, app)
  await assert.rejects(deep.call('/ctl/stop', Buffer.from('['.repeat(1000))), StatusError)
  const odd = await dialControl(t, app)
  for (const arg of [{ mask: 'all' }, { names: [1] }, { names: 'x' }, 7, null])
    await odd.call('/dserver/log', arg).catch((error) => assert.ok(error instanceof StatusError))
  for (const arg of [1e30, -1, 'x', null, {}])
    await odd.call('/ctl/open_logger', arg).catch((error) => assert.ok(error instanceof StatusError))
  const many = Array.from({ length: 80 }, () => connect(app.socket))
  await Promise.any(many.map(closed))
  for (const socket of many) socket.destroy()
  assert.equal((await app.run('ctl', 'info')).code, 0)
})

const canCheck = process.platform === 'linux' && process.getuid?.() === 0 && osAddon() !== undefined
const asRoot = { ...options, skip: canCheck ? false : 'needs root and the native binary' }

test('another user who can reach the socket is refused all the same', asRoot, async (t) => {
  const app = new App(t)
  const server = await app.start()
  for (const path of [app.folder, app.runtime]) chmodSync(path, 0o755)
  chmodSync(app.socket, 0o666)
  const script = `require('node:net').connect(process.argv[1]).on('connect', () => console.log('connected')).on('close', () => console.log('closed')).resume()`
  const foreign = spawn(process.execPath, ['-e', script, app.socket], {
    uid: 65534,
    gid: 65534,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => foreign.kill('SIGKILL'))
  let out = ''
  foreign.stdout.on('data', (data) => {
    out += data
  })
  await once(foreign, 'close')
  assert.equal(out, 'connected\nclosed\n')
  await server.line(/a connection to the control socket was refused uid=65534/)
})
