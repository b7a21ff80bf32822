import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { bytes, type Endpoint, redis, redisBuffers, StatusError, simple } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport } from '../helpers.ts'

const run = promisify(execFile)
const missing = hasCli() ? false : 'redis-cli is not installed'

function hasCli(): boolean {
  try {
    execFileSync('redis-cli', ['--version'])
    return true
  } catch {
    return false
  }
}

/** A key-value store as routes. */
async function store(t: TestContext, transport: Kind, options = {}): Promise<{ server: Endpoint; port: string }> {
  const server = endpoint(t, { transport, protocol: 'redis', ...options })
  const held = new Map<string, Buffer>()
  server.routeCall('/redis/ping', ([text]: string[]) => text ?? simple('PONG'))
  server.routeCall('/redis/set', ([key, value]: Buffer[]) => held.set(String(key), value) && simple('OK'), { arg: redisBuffers })
  server.routeCall('/redis/get', ([key]: string[]) => held.get(key))
  server.routeCall('/redis/keys', () => [...held.keys()])
  server.routeCall('/redis/slow', async ([text, turns]: string[]) => {
    for (let i = 0; i < Number(turns); i++) await turn()
    return text
  })
  server.routeCall('/redis/incr', () => {
    throw new StatusError(1001, 'WRONGTYPE not a number')
  })
  server.routeCall('/redis/raw', (body: Uint8Array) => body, { arg: bytes })
  const { url } = await server.listen('tcp://127.0.0.1:0')
  return { server, port: new URL(url).port }
}

/** Everything the server answers to `request` until it closes. */
async function exchange(port: string, request: string | Buffer): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(request)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

onEachTransport('redis', (transport) => {
  it('answers redis-cli', { skip: missing }, async (t) => {
    const { port } = await store(t, transport)
    const cli = async (...args: string[]) => (await run('redis-cli', ['-p', port, ...args])).stdout
    assert.equal(await cli('PING'), 'PONG\n')
    assert.equal(await cli('set', 'k', 'é b'), 'OK\n')
    assert.equal(await cli('get', 'k'), 'é b\n')
    assert.equal(await cli('get', 'none'), '\n')
    assert.equal(await cli('KEYS', '*'), 'k\n')
    assert.match(await cli('DEL', 'k'), /^ERR unknown command '\/redis\/del'/)
    assert.match(await cli('INCR', 'k'), /^WRONGTYPE not a number/)
  })

  it('answers redis-cli many commands over one connection', { skip: missing }, async (t) => {
    const { port } = await store(t, transport)
    const child = run('redis-cli', ['-p', port])
    child.child.stdin?.end('set a 1\nget a\nping hello\n')
    assert.deepEqual((await child).stdout.trim().split('\n'), ['OK', '1', 'hello'])
  })

  it('answers pipelined commands in their order, whatever the handlers take', async (t) => {
    const { port } = await store(t, transport)
    const commands = ['slow a 5', 'ping', 'nothing', 'slow b 0', 'slow c 2', 'get x', 'quit', 'ping']
    const answers = ['$1\r\na', '+PONG', "-ERR unknown command '/redis/nothing'", '$1\r\nb', '$1\r\nc', '$-1', '+OK', '']
    assert.equal(await exchange(port, commands.map((words) => `${words}\r\n`).join('')), answers.join('\r\n'))
  })

  it('keeps bytes, and gives them as they came', async (t) => {
    const { port } = await store(t, transport)
    const value = '\xff\r\n$\0'
    const request = Buffer.from(
      `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\n${value}\r\n*2\r\n$3\r\nget\r\n$1\r\nk\r\n*2\r\n$3\r\nraw\r\n$1\r\nx\r\nquit\n`,
      'latin1',
    )
    assert.equal(await exchange(port, request), `+OK\r\n$5\r\n${value}\r\n$7\r\n$1\r\nx\r\n\r\n+OK\r\n`)
  })

  it('refuses what is no command, says why and closes', async (t) => {
    const { server, port } = await store(t, transport)
    const closed = once<StatusError | undefined>()
    server.once('session', (session) => session.once('close', closed.resolve))
    assert.equal(await exchange(port, '*1\r\n:5\r\n'), "-ERR Protocol error: expected '$', got ':'\r\n")
    assert.match((await closed.promise)?.cause ?? '', /not the protocol/)
    assert.equal(await exchange(port, 'POST / HTTP/1.1\r\nHost: x\r\n\r\nSET a b\r\n'), '')
  })

  it('closes when too many replies wait for a slow one', async (t) => {
    const { port } = await store(t, transport, { limits: { maxUnsent: 100_000 } })
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`slow a 1000000\r\n${'ping\r\n'.repeat(5000)}`)
    await new Promise((resolve) => socket.once('close', resolve).resume())
  })

  it('offers the commands without a prefix, and beside other protocols on one port', async (t) => {
    const server = endpoint(t, { transport, protocols: [redis({ prefix: '' })] })
    server.routeCall('GET', ([key]: string[]) => key)
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'redis', 'jsonrpc'] })
    assert.equal(await exchange(new URL(url).port, '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nQUIT\r\n'), '$1\r\nk\r\n+OK\r\n')
  })

  it('cannot be called over', async (t) => {
    const { server, port } = await store(t, transport)
    const session = await server.dial(`tcp://127.0.0.1:${port}`, { protocol: 'redis' })
    await assert.rejects(session.call('/redis/ping'), { code: 104, cause: /server-side only/ })
  })
})
