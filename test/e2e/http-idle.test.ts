import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { it, type TestContext, test } from 'node:test'
import { type Endpoint, http } from '../../src/index.ts'
import { TestNetwork } from '../../src/testing/index.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'

const post = (path: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}Content-Length: 1\r\n\r\n1`

onEachTransport('quiet connections of http', (transport) => {
  /** What comes on a connection until the server ends it. */
  async function untilEnd(t: TestContext, server: Endpoint, text: string): Promise<string> {
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const socket = connect(Number(new URL(url.replace('tcp:', 'http:')).port), '127.0.0.1')
    t.after(() => socket.destroy())
    let said = ''
    socket.on('data', (data) => {
      said += data
    })
    const ended = once()
    socket.once('close', () => ended.resolve())
    if (text !== '') socket.write(text)
    await ended.promise
    return said
  }
  const serve = (t: TestContext): Endpoint => {
    const server = endpoint(t, { transport, protocol: 'http', protocols: [http({ idleTimeout: 200 })] })
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/slow', () => new Promise((resolve) => setTimeout(resolve, 600, 'slow')))
    return server
  }

  it('end, with no byte', { timeout: 10_000 }, async (t) => {
    const server = serve(t)
    assert.equal(await untilEnd(t, server, ''), '')
    assert.equal(server.stats.violations, 0)
  })

  it('end after an answer, and not before it', { timeout: 10_000 }, async (t) => {
    const server = serve(t)
    const said = await untilEnd(t, server, post('/echo'))
    assert.match(said, /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n1$/)
    assert.doesNotMatch(said, /Keep-Alive/, 'whole seconds would promise too much')
    assert.match(await untilEnd(t, server, post('/slow')), /\r\n\r\n"slow"$/)
    assert.equal(server.stats.violations, 0)
  })
})

test('a minute and a quarter of silence is the limit; peers that have spoken, and calls that run, have none', async () => {
  const net = new TestNetwork()
  const server = endpointOf(net, 'server')
  server.routeCall('/echo', (value: unknown) => value)
  server.routeCall('/slow', () => net.sleep(600_000).then(() => 'slow'))
  const client = endpointOf(net, 'client')
  await net.run(async () => {
    const { url } = await server.listen('tcp://server:80')
    /** When the server ended a connection on which `texts` were sent, each so many seconds after the one before. */
    const life = async (pause: number, ...texts: string[]): Promise<number> => {
      const begin = net.now
      const socket = await net.host('plain').connect(url)
      socket.resume()
      const ended = new Promise<void>((resolve) => socket.once('end', resolve))
      for (const text of texts) {
        socket.write(text)
        await net.sleep(pause * 1000)
      }
      await ended
      socket.destroy()
      return (net.now - begin) / 1000
    }
    const session = await client.dial(url)
    assert.equal(await session.call('/echo', 1), 1)
    const called = await client.dial(url)
    client.routeCall('/back', () => 'back')
    const peer = [...server.sessions()].at(-1)
    assert.equal(await peer?.call('/back'), 'back')
    const lives = await Promise.all([life(0), life(0, post('/echo')), life(60, ...Array(10).fill(post('/echo'))), life(0, post('/slow'))])
    for (const [i, least] of [75, 75, 615, 675].entries()) assert.ok(lives[i] >= least && lives[i] <= least + 40, `${lives}`)
    await net.sleep(1_800_000)
    assert.equal(await session.call('/echo', 2), 2)
    assert.equal(await peer?.call('/back'), 'back')
    assert.equal(called.state, 'open')
  })
  await net.run(() => Promise.all([client.close(), server.close()]))
  await net.close()
})

test('the date is that of the endpoint’s clock', async () => {
  const net = new TestNetwork()
  const server = endpointOf(net, 'server')
  await net.run(async () => {
    const { url } = await server.listen('tcp://server:80')
    await net.sleep(61_500)
    const socket = await net.host('plain').connect(url)
    const dates: string[] = []
    for (const [text, pause] of [
      ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 600],
      ['rubbish\r\n\r\n', 0],
    ] as const) {
      const answer = once<string>()
      socket.once('data', (data) => answer.resolve(String(data)))
      socket.write(text)
      dates.push(/^Date: (.*)\r$/m.exec(await answer.promise)?.[1] ?? '')
      await net.sleep(pause)
    }
    assert.deepEqual(dates, ['Sat, 01 Jan 2000 00:01:01 GMT', 'Sat, 01 Jan 2000 00:01:01 GMT', 'Sat, 01 Jan 2000 00:01:02 GMT'])
    socket.destroy()
  })
  await net.run(() => server.close())
  await net.close()
})

function endpointOf(net: TestNetwork, name: string): Endpoint {
  return endpoint({ after() {} } as unknown as TestContext, { transport: net.host(name).transport, protocol: 'http' })
}
