import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { it, type TestContext } from 'node:test'
import { createJSONRPCErrorResponse, createJSONRPCRequest, JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from 'json-rpc-2.0'
import { StatusError } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport, pair, status } from '../support/helpers.ts'

const rpc = { protocol: 'jsonrpc' }

/** A peer whose JSON-RPC is not ours: json-rpc-2.0 from npm, over lines. */
async function stranger(t: TestContext, url: string): Promise<{ peer: JSONRPCServerAndClient; socket: Socket; lines: string[] }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  const send = (payload: unknown): Promise<void> => {
    socket.write(`${JSON.stringify(payload)}\n`)
    return Promise.resolve()
  }
  const lines: string[] = []
  const peer = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient(send))
  createInterface({ input: socket }).on('line', (line) => {
    lines.push(line)
    // Its own receiver takes no batches of answers: JSONRPCClient does.
    const payload = JSON.parse(line)
    if (Array.isArray(payload)) peer.client.receive(payload)
    else peer.receiveAndSend(payload)
  })
  // What it answers goes the same way as what it asks.
  peer.applyServerMiddleware(async (next, request, params) => {
    const response = await next(request, params)
    if (response !== null) await send(response)
    return null
  })
  return { peer, socket, lines }
}

async function serve(t: TestContext, transport: Kind) {
  const server = endpoint(t, { transport, protocol: 'jsonrpc' })
  server.routeCall('subtract', (arg: [number, number] | { minuend: number; subtrahend: number }) =>
    Array.isArray(arg) ? arg[0] - arg[1] : arg.minuend - arg.subtrahend,
  )
  server.routeCall('sell', () => {
    throw new StatusError(1001, 'out of stock', 'no tea')
  })
  server.routeCall('nothing', () => undefined)
  const { url } = await server.listen('tcp://127.0.0.1:0')
  return { server, url }
}

onEachTransport('jsonrpc', (transport) => {
  it('answers a client of the standard: by position, by name, many at once', async (t) => {
    const { url } = await serve(t, transport)
    const { peer } = await stranger(t, url)
    assert.equal(await peer.request('subtract', [42, 23]), 19)
    assert.equal(await peer.request('subtract', { minuend: 42, subtrahend: 23 }), 19)
    assert.equal(await peer.request('nothing', []), null)
    const many = Array.from({ length: 2000 }, (_, i) => peer.request('subtract', [i, 1]))
    assert.deepEqual(
      await Promise.all(many),
      many.map((_, i) => i - 1),
    )
  })

  it('tells it errors as the standard has them', async (t) => {
    const { url } = await serve(t, transport)
    const { peer } = await stranger(t, url)
    const data = { code: 404, msg: 'Not Found', cause: '' }
    await assert.rejects(async () => peer.request('none', []), { code: -32601, message: 'Not Found', data })
    await assert.rejects(async () => peer.request('sell', []), { code: 1001, message: 'out of stock' })
  })

  it('answers a batch together, and what is no request with an error', async (t) => {
    const { server, url } = await serve(t, transport)
    const notified = once<unknown>()
    server.routePush('notify', (value: unknown) => notified.resolve(value))
    const { peer, socket, lines } = await stranger(t, url)
    const ids = ['a', 2, 'c'] as const
    const requests = ids.map((id, i) => createJSONRPCRequest(id, i === 2 ? 'none' : 'subtract', [i, 1]))
    const answers = await peer.client.requestAdvanced([...requests])
    assert.deepEqual(
      answers.map(({ id, result, error }) => [id, result ?? error?.code]),
      [
        ['a', -1],
        [2, 0],
        ['c', -32601],
      ],
    )
    peer.notify('notify', { x: 1 })
    assert.deepEqual(await notified.promise, { x: 1 })
    socket.write('oops\n[]\n')
    await peer.request('subtract', [1, 1])
    assert.deepEqual(
      lines.slice(1, 3).map((line) => JSON.parse(line)),
      [
        createJSONRPCErrorResponse(null as never, -32700, 'Parse error'),
        createJSONRPCErrorResponse(null as never, -32600, 'Invalid Request'),
      ],
    )
  })

  it('runs the handler of a call for a notification without a push route', async (t) => {
    const { server, url } = await serve(t, transport)
    const ran = once<unknown>()
    server.routeCall('log', (value: unknown) => ran.resolve(value))
    const { peer, lines } = await stranger(t, url)
    peer.notify('log', [1])
    assert.deepEqual(await ran.promise, [1])
    await peer.request('subtract', [1, 1])
    assert.equal(lines.length, 1)
  })

  it('calls and pushes to a peer of the standard', async (t) => {
    const { server, url } = await serve(t, transport)
    const accepted = once<import('../../src/index.ts').Session>()
    server.once('session', accepted.resolve)
    const { peer } = await stranger(t, url)
    const session = await accepted.promise
    const pushed = once<unknown>()
    peer.addMethod('sum', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
    peer.addMethod('told', (value: unknown) => pushed.resolve(value))
    assert.equal(await session.call('sum', [1, 2, 3]), 6)
    assert.equal((await status(session.call('none', [])))[0], 404)
    await session.push('told', { x: 1 })
    assert.deepEqual(await pushed.promise, { x: 1 })
  })

  it('carries calls, pushes, meta and errors both ways between two of us', async (t) => {
    const { server, client, session, peer } = await pair(t, transport, { server: rpc, client: rpc })
    server.routeCall('/echo', (value: unknown, ctx) => {
      ctx.setMeta('back', ctx.meta.there ?? '')
      return value
    })
    server.routeCall('/sell', () => {
      throw new StatusError(1001, 'out of stock', 'no tea')
    })
    const pushed = once<unknown>()
    client.routePush('/pushed', (value: unknown) => pushed.resolve(value))
    for (const value of [1, 'é\n"<>', [1, [2]], { a: null }, 'x'.repeat(1_000_000)])
      assert.deepEqual(await session.call('/echo', value), value)
    const { meta } = await session.callReply('/echo', 1, { meta: { there: 'here' } })
    assert.equal(meta.back, 'here')
    assert.equal(await session.call('/echo'), null)
    assert.deepEqual(await status(session.call('/sell')), [1001, 'out of stock', ''])
    assert.deepEqual(await status(session.call('/none')), [404, 'Not Found', ''])
    assert.equal((await status(session.call('/echo', 'x', { codec: 'plain' })))[0], 104)
    await peer.push('/pushed', [1, 2])
    assert.deepEqual(await pushed.promise, [1, 2])
  })

  it('tells the caller of a body that nests too deep', async (t) => {
    const { server, session } = await pair(t, transport, { server: rpc, client: rpc })
    server.routeCall('/echo', (value: unknown) => value)
    const deep = Buffer.from('['.repeat(1000) + ']'.repeat(1000))
    assert.equal((await status(session.call('/echo', deep)))[0], 400)
  })

  it('closes at a first line that is no JSON, answered, before anything behind it runs', async (t) => {
    const { server, url } = await serve(t, transport)
    let ran = 0
    server.routePush('run', () => ran++)
    for (const line of ['USER x', '------WebKitFormBoundary7MA4', '\0\x01\xff', '\r\n  oops', '1 2', 'nul']) {
      const { socket, lines } = await stranger(t, url)
      socket.on('error', () => {}) // what was not read resets the connection
      socket.write(Buffer.from(`${line}\r\n{"jsonrpc":"2.0","method":"run"}\n`, 'latin1'))
      await new Promise((resolve) => socket.once('close', resolve))
      assert.deepEqual(lines.map((text) => JSON.parse(text).error.code), [-32700], line) // biome-ignore format: one line
    }
    const { peer, socket, lines } = await stranger(t, url)
    socket.write('{"cut\n[]\nUSER x\n')
    assert.equal(await peer.request('subtract', [1, 1]), 0)
    assert.deepEqual(lines.slice(0, 3).map((text) => JSON.parse(text).error.code), [-32700, -32600, -32700]) // biome-ignore format: one line
    assert.equal(ran, 0)
  })

  it('closes at a line over the limit', async (t) => {
    const server = endpoint(t, { transport, protocol: 'jsonrpc', limits: { maxMessage: 1000 } })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const { socket } = await stranger(t, url)
    socket.write('x'.repeat(1001))
    await new Promise((resolve) => socket.once('close', resolve))
  })
})
