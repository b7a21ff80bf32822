import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { bytes, type Endpoint, redis, redisBuffers, StatusError, simple } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport } from '../support/helpers.ts'

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
    assert.match(await cli('DEL', 'k'), /^ERR unknown command 'DEL', with args beginning with: 'k'/)
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
    const answers = [
      '$1\r\na',
      '+PONG',
      "-ERR unknown command 'nothing', with args beginning with: ",
      '$1\r\nb',
      '$1\r\nc',
      '$-1',
      '+OK',
      '',
    ]
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

  /** Commands as clients write them: arrays of bulk strings. */
  const commands = (...all: string[]): string =>
    all.map((words) => words.split(' ')).map((words) => `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`).join('') // biome-ignore format: one line

  it('answers what clients send on their own as redis 7 does, where no route takes it', async (t) => {
    const server = endpoint(t, { transport, protocol: 'redis' })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const wrong = (of: string): string => `-ERR wrong number of arguments for '${of}' command`
    const expected: [string, string][] = [
      ['PING', '+PONG'],
      ['ping é', '$2\r\n\xc3\xa9'],
      ['PING a b', wrong('ping')],
      ['ECHO x', '$1\r\nx'],
      ['ECHO', wrong('echo')],
      ['SELECT 0', '+OK'],
      ['SELECT 1', '-ERR DB index is out of range'],
      ['SELECT abc', '-ERR value is not an integer or out of range'],
      ['AUTH x', '-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?'],
      ['AUTH default x', '+OK'],
      ['AUTH u x', '-WRONGPASS invalid username-password pair or user is disabled.'],
      ['AUTH a b c', '-ERR syntax error'],
      ['AUTH', wrong('auth')],
      ['HELLO 4', '-NOPROTO unsupported protocol version'],
      ['HELLO abc', '-ERR Protocol version is not an integer or out of range'],
      ['HELLO 3 FOO', "-ERR Syntax error in HELLO option 'FOO'"],
      ['HELLO 3 AUTH u x', '-WRONGPASS invalid username-password pair or user is disabled.'],
      ['CLIENT GETNAME', '$-1'],
      ['CLIENT SETNAME me', '+OK'],
      ['client getname', '$2\r\nme'],
      ['CLIENT SETNAME é', '-ERR Client names cannot contain spaces, newlines or special characters.'],
      ['CLIENT SETNAME', wrong('client|setname')],
      ['CLIENT SETINFO LIB-NAME x', '+OK'],
      ['CLIENT SETINFO FOO x', "-ERR Unrecognized option 'FOO'"],
      ['CLIENT NO-EVICT ON', '+OK'],
      ['CLIENT NO-EVICT x', '-ERR syntax error'],
      ['CLIENT MAINT_NOTIFICATIONS ON', "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP."],
      ['CLIENT', wrong('client')],
      ['COMMAND', '*0'],
      ['COMMAND COUNT', ':0'],
      ['COMMAND DOCS', '*0'],
      ['COMMAND INFO a b', '*2\r\n$-1\r\n$-1'],
      ['COMMAND FOO', "-ERR unknown subcommand 'FOO'. Try COMMAND HELP."],
      ['INFO nope', '$0\r\n'],
      ['INFO replication', '$48\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n'],
      ['RESET', '+RESET'],
      ['CLIENT GETNAME', '$-1'],
      ['FoO a b', "-ERR unknown command 'FoO', with args beginning with: 'a' 'b' "],
      [`${'f'.repeat(200)} ${'a'.repeat(200)} b`, `-ERR unknown command '${'f'.repeat(128)}', with args beginning with: '${'a'.repeat(128)}' `],
      ['QUIT', '+OK'],
    ] // biome-ignore format: one line each
    const answer = await exchange(new URL(url).port, commands(...expected.map(([words]) => words)))
    assert.equal(answer, expected.map(([, reply]) => `${reply}\r\n`).join(''))
    assert.equal(await exchange(new URL(url).port, 'ping\r\nping x\r\nhello 2 setname\r\nquit\r\n'), "+PONG\r\n$1\r\nx\r\n-ERR Syntax error in HELLO option 'setname'\r\n+OK\r\n") // biome-ignore format: one line
  })

  it('speaks RESP3 after HELLO 3, on that connection, from there on', async (t) => {
    const { server, port } = await store(t, transport)
    server.routeCall('/redis/nulls', () => [null, 'a$-1\r\nb', [undefined, Buffer.from([0xff]), { x: null }], simple('OK')])
    server.routeCall('/redis/text', () => '$-1\r\n')
    server.routeCall('/redis/late', async () => {
      for (let i = 0; i < 5; i++) await turn()
      return null
    })
    const hello = (proto: number): RegExp => new RegExp(`^${proto === 3 ? '%7' : '\\*14'}\r\n\\$6\r\nserver\r\n\\$5\r\nredis\r\n\\$7\r\nversion\r\n\\$5\r\n\\d\\.\\d\\.\\d\r\n\\$5\r\nproto\r\n:${proto}\r\n\\$2\r\nid\r\n:\\d+\r\n\\$4\r\nmode\r\n\\$10\r\nstandalone\r\n\\$4\r\nrole\r\n\\$6\r\nmaster\r\n\\$7\r\nmodules\r\n\\*0\r\n`) // biome-ignore format: one line
    const resp2 = '$-1\r\n$5\r\n$-1\r\n\r\n*4\r\n$-1\r\n$7\r\na$-1\r\nb\r\n*3\r\n$-1\r\n$1\r\n\xff\r\n*2\r\n$1\r\nx\r\n$-1\r\n+OK\r\n'
    const resp3 = '_\r\n$5\r\n$-1\r\n\r\n*4\r\n_\r\n$7\r\na$-1\r\nb\r\n*3\r\n_\r\n$1\r\n\xff\r\n%1\r\n$1\r\nx\r\n_\r\n+OK\r\n'
    const three = ['get none', 'text', 'nulls']
    // The first reply is made after HELLO was answered, and belongs before it.
    const request = commands('late', ...three, 'HELLO 3', 'late', ...three, 'CLIENT GETNAME', 'COMMAND DOCS', 'COMMAND INFO x', 'INFO nope', 'HELLO 2', ...three, 'HELLO 3', 'get none', 'RESET', 'get none', 'QUIT') // biome-ignore format: one line
    let rest = await exchange(port, request)
    const next = (expected: string | RegExp): void => {
      const [found] = typeof expected === 'string' ? [rest.slice(0, expected.length)] : (expected.exec(rest) ?? [''])
      if (typeof expected === 'string') assert.equal(found, expected)
      else assert.match(rest, expected)
      rest = rest.slice(found.length)
    }
    for (const part of ['$-1\r\n', resp2, hello(3), '_\r\n', resp3, '_\r\n%0\r\n*1\r\n_\r\n=4\r\ntxt:\r\n', hello(2), resp2, hello(3), '_\r\n+RESET\r\n$-1\r\n+OK\r\n']) next(part) // biome-ignore format: one line
    assert.equal(rest, '')
    assert.equal(await exchange(port, commands('get none', 'quit')), '$-1\r\n+OK\r\n', 'another connection')
  })

  it('leaves such commands to routes of their names and to hooks', async (t) => {
    const answer = async (server: Endpoint, ...all: string[]): Promise<string> => {
      const { url } = await server.listen('tcp://127.0.0.1:0')
      return exchange(new URL(url).port, commands(...all, 'quit'))
    }
    const routed = endpoint(t, { transport, protocol: 'redis' })
    routed.routeCall('/redis/info', () => 'mine')
    routed.routeCall('/redis/hello', () => {
      throw new StatusError(1001, 'NOPE')
    })
    assert.equal(await answer(routed, 'INFO', 'HELLO 3', 'PING'), '$4\r\nmine\r\n-NOPE\r\n+PONG\r\n+OK\r\n')
    const moved = endpoint(t, { transport, protocol: 'redis', plugins: [{ name: 'moves', afterReadCallHeader: (ctx) => { ctx.serviceMethod = '/other' } }] }) // biome-ignore format: one line
    moved.setUnknownCall((_, ctx) => ctx.serviceMethod)
    assert.equal(await answer(moved, 'PING'), '$6\r\n/other\r\n+OK\r\n')
    const guarded = endpoint(t, { transport, protocol: 'redis', plugins: [{ name: 'guard', afterReadCallHeader: async () => { throw new StatusError(1, 'NOAUTH first') } }] }) // biome-ignore format: one line
    assert.equal(await answer(guarded, 'PING'), '-NOAUTH first\r\n+OK\r\n')
    const hooked = endpoint(t, { transport, protocol: 'redis', plugins: [{ name: 'waits', afterReadCallHeader: () => turn() }] })
    assert.equal(await answer(hooked, 'HELLO 3', 'CLIENT GETNAME', 'InFo nope', 'nO x').then((text) => text.slice(text.indexOf('*0') + 4)), "_\r\n=4\r\ntxt:\r\n-ERR unknown command 'nO', with args beginning with: 'x' \r\n+OK\r\n") // biome-ignore format: one line
  })

  it('answers connection commands itself where setUnknownCall takes all others, with hooks or without', async (t) => {
    for (const plugins of [[], [{ name: 'waits', afterReadCallHeader: () => turn() }]]) {
      const server = endpoint(t, { transport, protocol: 'redis', plugins })
      server.setUnknownCall((_, ctx) => ctx.serviceMethod)
      server.routeCall('/redis/echo', () => 'mine')
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const answer = await exchange(new URL(url).port, commands('HELLO 3', 'PING', 'CLIENT SETINFO LIB-NAME x', 'SELECT 0', 'COMMAND', 'ECHO x', 'GET k', 'INFO nope', 'QUIT')) // biome-ignore format: one line
      assert.match(answer, /^%7\r\n/)
      assert.equal(answer.slice(answer.indexOf('*0') + 4), '+PONG\r\n+OK\r\n+OK\r\n*0\r\n$4\r\nmine\r\n$10\r\n/redis/get\r\n=4\r\ntxt:\r\n+OK\r\n') // biome-ignore format: one line
    }
  })

  it('closes at a first line that is no text, before anything behind it runs', async (t) => {
    const server = endpoint(t, { transport, protocol: 'redis' })
    server.setUnknownCall((_, ctx) => ctx.serviceMethod)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const { port } = new URL(url)
    const refusal = '-ERR Protocol error: the first line is no text\r\n'
    for (const line of ['\0\x01\x02', 'a\x7f', '\xff\xfe', 'a \x1b[1m'])
      assert.equal(await exchange(port, Buffer.from(`${line}\r\nPING\r\n`, 'latin1')), refusal, JSON.stringify(line))
    assert.equal(await exchange(port, Buffer.from('PING é\tb\r\nx\x01\r\nquit\r\n')), "-ERR wrong number of arguments for 'ping' command\r\n$9\r\n/redis/x\x01\r\n+OK\r\n") // biome-ignore format: one line
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
