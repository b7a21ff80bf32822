import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { Endpoint } from '../../src/index.ts'

const run = promisify(execFile)

test('the example of a protocol of one’s own runs', { timeout: 20_000 }, async () => {
  const { stdout } = await run(process.execPath, ['examples/custom-protocol/lines.mjs'])
  assert.match(stdout, /\[1,2,3\] -> 6\n/)
  assert.match(stdout, /\/nothing -> 404 Not Found\n/)
})

test('the example of a plugin of one’s own runs', { timeout: 20_000 }, async () => {
  const { stdout } = await run(process.execPath, ['examples/plugin/counting.mjs'])
  assert.equal(stdout, 'call 1 -> hello ann\ncall 2 -> hello bob\nrefused -> 429 Too Many Requests (2 are enough)\n')
})

/** An example that runs until it is told to end, line by line. */
class Running {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly gone: Promise<unknown[]>
  #onLine = (): void => {}

  constructor(t: TestContext, script: string, ...args: string[]) {
    this.child = spawn(process.execPath, [`examples/${script}`, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.gone = once(this.child, 'exit')
    t.after(() => this.child.kill('SIGKILL'))
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(line)
      this.#onLine()
    })
  }

  /** The first line from number `from` on that matches. */
  async line(pattern: RegExp, from = 0): Promise<string> {
    for (;;) {
      const found = this.lines.slice(from).find((line) => pattern.test(line))
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#onLine = resolve
      })
    }
  }

  say(text: string): void {
    this.child.stdin?.write(`${text}\n`)
  }

  async end(signal?: NodeJS.Signals): Promise<void> {
    if (signal === undefined) this.child.stdin?.end()
    else this.child.kill(signal)
    assert.deepEqual(await this.gone, [0, null])
  }
}

test('the example of a chat: each sees what the others say', { timeout: 30_000 }, async (t) => {
  const server = new Running(t, 'chat/server.mjs')
  const url = await server.line(/^tcp:/)
  const ann = new Running(t, 'chat/client.mjs', url, 'ann')
  await ann.line(/^here: ann$/)
  const bob = new Running(t, 'chat/client.mjs', url, 'bob')
  await bob.line(/^here: ann, bob$/)
  await ann.line(/^bob came$/)
  ann.say('hello')
  await bob.line(/^ann: hello$/)
  bob.say('hello, ann')
  await ann.line(/^bob: hello, ann$/)
  await bob.end()
  await ann.line(/^bob left$/)
  assert.ok(!ann.lines.includes('ann: hello'), 'nobody hears himself')
  await server.end('SIGTERM')
  await ann.line(/^the server is gone/)
  await ann.gone
})

test('the example of a client that survives a restart loses no call', { timeout: 30_000 }, async (t) => {
  const first = new Running(t, 'restart/server.mjs')
  const url = await first.line(/^tcp:/)
  const client = new Running(t, 'restart/client.mjs', url)
  await client.line(new RegExp(`by process ${first.child.pid}$`))
  await first.end('SIGTERM')
  await client.line(/^redialing$/)
  const second = new Running(t, 'restart/server.mjs', url)
  await client.line(new RegExp(`by process ${second.child.pid}$`))
  await client.end()
  assert.match(client.lines.at(-1) as string, /^[1-9][0-9]* answered, 0 failed$/)
  assert.deepEqual(
    client.lines.filter((line) => /^[a-z]+$/.test(line)),
    ['draining', 'redialing', 'redialed'],
  )
  await second.end('SIGTERM')
})

test('the example of a service loses no call while one of its two nodes is restarted', { timeout: 30_000 }, async (t) => {
  const first = new Running(t, 'rpc/server.mjs')
  const second = new Running(t, 'rpc/server.mjs')
  const urls = await Promise.all([first.line(/^tcp:/), second.line(/^tcp:/)])
  process.env.RATE = '100'
  t.after(() => delete process.env.RATE)
  const client = new Running(t, 'rpc/client.mjs', ...urls)
  for (const url of urls) await client.line(new RegExp(`^note: ${url} adds 2 numbers$`))
  await first.end('SIGTERM')
  const ended = client.lines.length
  await client.line(/^sum/, ended)
  const again = new Running(t, 'rpc/server.mjs', urls[0])
  await again.line(/^tcp:/)
  const returned = client.lines.length
  await client.line(new RegExp(`^note: ${urls[0]}`), returned)
  await client.end('SIGTERM')
  assert.deepEqual(
    client.lines.filter((line) => /^failed/.test(line)),
    [],
  )
  await again.end('SIGTERM')
  await second.end('SIGTERM')
})

for (const model of ['single', 'multi']) {
  test(`the example of an application serves, is replaced and stops in the ${model} process model`, { timeout: 60_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-shop-'))
    process.env.DMICRO_RUNTIME_DIR = join(folder, 'run')
    const command = (name: string): Promise<unknown> => run(process.execPath, ['examples/dserver/app.mjs', name])
    t.after(async () => {
      await command('stop').catch(() => {}) // the process that has taken over, if it still runs
      delete process.env.DMICRO_RUNTIME_DIR
      rmSync(folder, { recursive: true, force: true })
    })
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const url = `tcp://127.0.0.1:${(taken.address() as AddressInfo).port}`
    taken.close()
    await once(taken, 'close')
    const store = `unix://${join(folder, 'store.sock')}`
    const values = [`store.listen=${store}`, `shop.store=${store}`, `shop.listen=${url}`].flatMap((value) => ['--set', `sandbox.${value}`])
    const server = new Running(t, 'dserver/app.mjs', 'start', '--model', model, '-c', 'examples/dserver/config.toml', ...values)
    await server.line(/^tcp:/)
    const client = new Endpoint({ log: false })
    t.after(() => client.close())
    const session = await client.dial(url, { redial: true })
    const menu = (): Promise<string> => session.call<string>('/shop/menu', null, { idempotent: true })
    const before = await menu()
    assert.match(before, /^tea and milk, from process \d+$/)
    await command('reload')
    // The old process answers for a moment more.
    for (let now = before; now === before; ) now = await menu()
    await command('stop')
    assert.equal((await server.gone)[0], 0)
  })
}

test('the example of a network that fails runs, and each run is the same', { timeout: 20_000 }, async () => {
  const [one, two] = [
    await run(process.execPath, ['examples/testing/flaky-network.mjs']),
    await run(process.execPath, ['examples/testing/flaky-network.mjs']),
  ]
  assert.match(one.stdout, /^[0-9]+ bought, [1-9][0-9]* unsure, [0-9]+ left after [0-9.]+ virtual seconds, /)
  assert.equal(two.stdout, one.stdout)
})

test('the example of metrics, a trace and a log runs', { timeout: 20_000 }, async () => {
  const { stdout } = await run(process.execPath, ['examples/observe/run.mjs'])
  assert.match(stdout, /"msg":"request".*"method":"\/shop\/buy","code":0.*"trace_id":"[0-9a-f]{32}"/)
  assert.match(stdout, /^one tea taken$/m)
  assert.match(stdout, /^dmicro_server_calls_total\{name="shop",path="\/shop\/buy",code="0"\} 1$/m)
  const trace = ['/shop/buy (client)', '  /shop/buy (server)', '    /stock/take (client)', '      /stock/take (server)']
  assert.ok(stdout.endsWith(`${trace.join('\n')}\n`), stdout)
})

test('the example of a contract: a client has its methods and errors, and is told of orders', { timeout: 30_000 }, async (t) => {
  const server = new Running(t, 'contract/server.mjs')
  const url = await server.line(/^tcp:/)
  const { stdout } = await run(process.execPath, ['examples/contract/client.mjs', url])
  assert.equal(stdout, '10 tea, 2 milk\n1002 out of stock: 2 left\nordered 1 for 6, told of 1\nWrongState: it is open\n')
  await server.end('SIGTERM')
})
