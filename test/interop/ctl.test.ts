import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, type TestContext, test } from 'node:test'
import { dmctl } from '../support/dmctl.ts'
import { App, Program } from '../support/dserver.ts'

// `ctl` of the real Go DMicro and ours, each with the dserver of the other.

const directory = await mkdtemp(join(tmpdir(), 'dmicro-ctl-'))
const binary = join(directory, 'dmicro-dserver')
after(() => rm(directory, { recursive: true, force: true }))
const missing = await build()
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)
const options = { timeout: 60_000, skip: missing ?? false }

async function build(): Promise<string | undefined> {
  const child = spawn('go', ['build', '-o', binary, '.'], {
    cwd: join(import.meta.dirname, 'go-dserver'),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)])
    if (code === 0) return undefined
    if (/^\.\/\S+\.go:\d+:/m.test(stderr)) throw new Error(`test/interop/go-dserver does not compile:\n${stderr}`)
    return `go build: ${stderr.trim().split('\n').at(-1)}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return 'go is not installed'
  }
}

/** A command of the Go application `app`, whose socket is in `folder`. */
function go(t: TestContext, folder: string, command: string): Program {
  const env = { ...process.env, TMPDIR: folder, HOME: folder }
  const program = new Program(spawn(binary, ['app', command], { cwd: directory, env, stdio: ['pipe', 'pipe', 'pipe'] }))
  t.after(async () => {
    program.child.kill('SIGKILL')
    await program.ended
  })
  return program
}

test('Go’s ctl shows, follows, starts and stops what a server of ours runs', options, async (t) => {
  const app = new App(t, { PLAN: { hello: { listen: 'tcp://127.0.0.1:0' } } })
  const server = await app.start()
  const client = go(t, app.runtime, 'ctl')
  const type = (line: string): boolean => client.child.stdin!.write(`${line}\n`)
  type('info')
  await client.line(new RegExp(`│ hello +│ default +│ Running │ pid ${server.child.pid}, uptime 0:00:\\d\\d │`))
  type('log -l INFO')
  await client.line(/开始打印服务端日志/)
  type('stop hello')
  await client.line(/停止服务成功/)
  await client.line(/^\S+Z \[INFO\] app: sandbox stopped sandbox="hello"/)
  type('stop hello')
  await client.line(/^error: sandbox hello is not running$/)
  type('start nobody')
  await client.line(/^error: there is no sandbox "nobody"$/)
  type('start hello')
  await client.line(/启动服务成功/)
  await client.line(/sandbox ready/) // lines of the log come by a connection of their own
  type('debug open')
  await client.line(/已开启debug模式/)
  assert.deepEqual(client.all(/sandbox ready/).length, 1)
  client.child.stdin!.end()
  await client.ended
  assert.match((await app.run('ctl', 'info')).out, /hello +default +running/)
})

test('our ctl shows, follows, starts and stops what a Go server runs', options, async (t) => {
  await writeFile(join(directory, 'config.toml'), '[logger]\nlevel = "ALL"\nstdout = true\n')
  const server = go(t, directory, 'start')
  await server.line(/^ready hello$/)
  const app = new App(t)
  const socket = ['--socket', join(directory, 'app.sock')]
  const [sandbox] = (await app.json('ctl', 'info', ...socket)).sandboxes as Record<string, unknown>[]
  assert.match(sandbox.description as string, new RegExp(`^pid ${server.child.pid}, uptime 0:00:\\d\\d$`))
  assert.deepEqual(
    { ...sandbox, description: '' },
    { name: 'hello', service: 'default', state: 'running', description: '', pid: server.child.pid },
  )
  const follower = app.spawn('ctl', 'log', '-f', '-l', 'WARN', ...socket)
  await follower.line(/\[WARN\].*a warning line/)
  follower.child.kill('SIGINT')
  assert.equal((await follower.ended).code, 0)
  assert.deepEqual(follower.all(/\[INFO\]/), [])
  const code = async (...args: string[]): Promise<number | null> => (await app.run('ctl', ...args, ...socket)).code
  assert.deepEqual(
    [
      await code('start', 'hello'),
      await code('stop', 'nobody'),
      await code('debug', 'on'),
      await code('stop', 'hello'),
      await code('config'),
    ],
    [1, 2, 0, 0, 1],
  )
  assert.match((await app.run('ctl', 'ps', ...socket)).out, /hello +default +stopped/)
  const known = await dmctl('ctl', 'app', 'info', ...socket)
  assert.match(known.stdout, /^hello +default +stopped/m)
  const unknown = await dmctl('ctl', 'app', 'stop', 'nobody', ...socket)
  assert.deepEqual([unknown.code, unknown.stdout], [2, ''])
  assert.match(unknown.stderr, /^dmctl: .*nobody.*\n$/)
  server.child.kill('SIGTERM')
  await server.exited
  assert.equal(await code('info'), 3)
  assert.equal((await dmctl('ctl', 'app', 'info', ...socket)).code, 3)
})
