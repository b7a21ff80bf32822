import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Endpoint, EndpointOptions } from '../../src/index.ts'
import { StatusError } from '../../src/index.ts'
import { http } from '../../src/protos/http.ts'
import { endpoint, type Kind, once, onEachTransport, pair, status } from '../support/helpers.ts'

const options: EndpointOptions = { protocols: [http({ cors: '*', pages: 'any' })], protocol: 'http' }

interface Served {
  server: Endpoint
  /** `http://127.0.0.1:port` */
  url: string
  port: number
}

/** A server as curl and raw sockets see it. */
async function serve(t: TestContext, transport: Kind): Promise<Served> {
  const server = endpoint(t, { transport, ...options })
  server.routeCall('/echo', (value: unknown) => value)
  server.routeCall('/hello', (_value: unknown, ctx: { meta: Record<string, string> }) => ({ hello: ctx.meta.name ?? 'world' }))
  server.routeCall('/length', (value: unknown) => (value as string).length)
  server.routeCall('/nothing', () => undefined)
  server.routeCall('/large', () => 'x'.repeat(100_000))
  server.routeCall('/slow', () => new Promise((resolve) => setTimeout(resolve, 50, 'slow')))
  server.routeCall('/denied', () => {
    throw new StatusError(403, 'Forbidden', 'not you')
  })
  const listener = await server.listen('tcp://127.0.0.1:0')
  const { port } = new URL(listener.url.replace('tcp:', 'http:'))
  return { server, url: `http://127.0.0.1:${port}`, port: Number(port) }
}

/** What curl printed. */
async function curl(...args: string[]): Promise<string> {
  return (await curlBytes([], ...args)).toString()
}

async function curlBytes(input: Buffer[], ...args: string[]): Promise<Buffer> {
  const process = spawn('curl', ['--silent', '--show-error', '--max-time', '10', ...args])
  const out: Buffer[] = []
  process.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  process.stderr.on('data', (bytes: Buffer) => out.push(bytes))
  for (const bytes of input) process.stdin.write(bytes)
  process.stdin.end()
  const ended = once()
  process.once('close', () => ended.resolve())
  await ended.promise
  return Buffer.concat(out)
}

const json = ['-H', 'Content-Type: application/json']

onEachTransport('http', (transport) => {
  it('curl: JSON in and out, meta from the query, errors as HTTP codes', async (t) => {
    const { url } = await serve(t, transport)
    assert.equal(await curl(`${url}/echo`, ...json, '-d', '{"a":[1,"ä"]}'), '{"a":[1,"ä"]}')
    assert.equal(await curl(`${url}/hello`), '{"hello":"world"}')
    assert.equal(await curl(`${url}/hello?name=a%20b`), '{"hello":"a b"}')
    assert.equal(await curl(`${url}/hello`, '-H', 'Name: c'), '{"hello":"c"}')
    assert.equal(await curl(`${url}/echo`, '-d', 'a=1'), '{"a":"1"}')
    assert.equal(await curl(`${url}/denied`, '-w', ' %{http_code}'), '{"code":403,"msg":"Forbidden","cause":"not you"} 403')
    assert.match(await curl(`${url}/none`, '-w', ' %{http_code}'), /"code":404.* 404$/)
    assert.match(await curl(`${url}/echo`, ...json, '-d', '{', '-w', ' %{http_code}'), /"code":400.* 400$/)
    assert.equal(await curl(`${url}/nothing`, '-w', '%{http_code}'), '200')
  })

  it('curl: HEAD, gzip, HTTP/1.0, two requests on one connection, a preflight', async (t) => {
    const { url } = await serve(t, transport)
    assert.match(await curl('-I', `${url}/hello`), /^HTTP\/1.1 200 OK\r\nContent-Length: 17\r\n/)
    const large = `"${'x'.repeat(100_000)}"`
    const packed = await curlBytes([], `${url}/large`, '-H', 'Accept-Encoding: gzip')
    assert.equal(gunzipSync(packed).toString(), large)
    assert.equal(await curl('--compressed', `${url}/large`), large)
    assert.equal(await curl('--compressed', `${url}/hello`), '{"hello":"world"}')
    assert.equal(await curl('-0', `${url}/hello`), '{"hello":"world"}')
    const twice = await curl(`${url}/hello`, `${url}/large`, '-w', ' %{num_connects}\n', '-o', '/dev/null', '-o', '/dev/null')
    assert.equal(twice, ' 1\n 0\n')
    const preflight = ['-X', 'OPTIONS', '-H', 'Origin: http://a', '-H', 'Access-Control-Request-Method: POST']
    assert.match(await curl('-i', `${url}/echo`, ...preflight), /^HTTP\/1.1 204 No Content\r\nAccess-Control-Allow-Origin: \*/)
  })

  it('curl: a body in chunks, and one of 2 MiB after 100 Continue', async (t) => {
    const { url } = await serve(t, transport)
    const body = Buffer.alloc(2 * 1024 * 1024, 'y')
    const upload = ['--data-binary', '@-', '-H', 'Content-Type: text/plain', '-H', 'Accept: application/json']
    assert.equal((await curlBytes([body], `${url}/length`, ...upload, '-H', 'Transfer-Encoding: chunked')).toString(), '2097152')
    const verbose = (await curlBytes([body], `${url}/length`, ...upload, '-H', 'Expect: 100-continue', '-v')).toString()
    assert.match(verbose, /HTTP\/1.1 100 Continue/)
    assert.match(verbose, /\n2097152|2097152$/)
    assert.match(verbose, /HTTP\/1.1 200 OK/)
  })

  it('curl: a body over the limit', async (t) => {
    const { server } = await serve(t, transport)
    server.routeCall('/never', () => 1)
    const small = endpoint(t, { transport, ...options, limits: { maxMessage: 1000 } })
    const { url } = await small.listen('tcp://127.0.0.1:0')
    const answer = await curl(`${url.replace('tcp:', 'http:')}/never`, ...json, '-d', 'x'.repeat(1001), '-w', ' %{http_code}')
    assert.match(answer, /"code":413.* 413$/)
  })

  it('a raw socket: pipelined requests are answered in order, garbage after them', async (t) => {
    const { port } = await serve(t, transport)
    const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
    const text = await exchange(
      t,
      port,
      `${get('/slow') + get('/hello') + get('/large', 'Accept-Encoding: gzip\r\n') + get('/hello')}rubbish\r\n\r\n`,
    )
    assert.deepEqual(text.match(/HTTP\/1.1 .*(?=\r)|"slow"|\{"hello":"world"\}|Content-Encoding: gzip/gm), [
      ...['HTTP/1.1 200 OK', '"slow"', 'HTTP/1.1 200 OK', '{"hello":"world"}', 'HTTP/1.1 200 OK', 'Content-Encoding: gzip'],
      ...['HTTP/1.1 200 OK', '{"hello":"world"}', 'HTTP/1.1 400 Bad Request'],
    ])
  })

  it('a raw socket: Connection: close is answered and closed', async (t) => {
    const { port } = await serve(t, transport)
    const text = await exchange(t, port, 'GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(text, /^HTTP\/1.1 200 OK\r\n[\s\S]*Connection: close\r\nDate: .*\r\n\r\n"slow"$/)
  })

  it('two of us: both ways, any order, meta, gzip, errors', async (t) => {
    const { server, client, session, peer } = await pair(t, transport, { server: options, client: options })
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/meta', (_value: unknown, ctx: { meta: Record<string, string> }) => ctx.meta.author)
    server.routeCall('/denied', () => {
      throw new StatusError(1001, 'no', 'because')
    })
    client.routeCall('/back', () => 'back')
    const large = 'z'.repeat(300_000)
    assert.equal(await session.call('/echo', large), large)
    assert.equal(await session.call('/echo', large, { filters: ['gzip'] }), large)
    assert.equal(await session.call('/meta', 1, { meta: { Author: 'go' } }), 'go')
    assert.equal(await peer.call('/back'), 'back')
    assert.deepEqual(await status(session.call('/denied')), [1001, 'no', 'because'])
    const calls = Array.from({ length: 1000 }, (_, i) => session.call('/echo', i))
    assert.deepEqual(await Promise.all(calls), [...calls.keys()])
    assert.equal((await status(session.push('/echo', 1)))[0], 104)
    assert.equal((await status(session.call('/echo', 1, { meta: { a: 'b\r\nX-Seq: 9' } })))[0], 104)
    assert.equal(await session.call('/echo', 7), 7)
  })

  it('calls another HTTP server, which answers in order', async (t) => {
    const { createServer: createHttp } = await import('node:http')
    const other = createHttp((request, response) => {
      if (request.url === '/none') response.statusCode = 404
      else response.setHeader('Content-Type', 'application/json')
      request.pipe(response)
    })
    const listening = once()
    other.listen(0, '127.0.0.1', () => listening.resolve())
    await listening.promise
    t.after(() => other.close())
    const session = await endpoint(t, { transport, ...options }).dial(`tcp://127.0.0.1:${(other.address() as { port: number }).port}`)
    const meta = { Host: 'localhost' }
    assert.deepEqual(await Promise.all([session.call('/a', 1, { meta }), session.call('/b', { c: 2 }, { meta })]), [1, { c: 2 }])
    assert.deepEqual(await status(session.call('/none', 'why', { meta })), [404, 'Not Found', '"why"'])
  })
})

/** All that comes until the server ends the connection. */
async function exchange(t: TestContext, port: number, request: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  const parts: Buffer[] = []
  const ended = once()
  socket.on('data', (bytes: Buffer) => parts.push(bytes))
  socket.once('close', () => ended.resolve())
  socket.write(request)
  await ended.promise
  return Buffer.concat(parts).toString('latin1')
}
