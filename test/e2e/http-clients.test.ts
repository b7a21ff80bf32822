import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { bytes, http } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport } from '../support/helpers.ts'

/** `skip` for a program that is not here. */
function without(name: string, flag: string): string | false {
  try {
    execFileSync(name, [flag], { stdio: 'ignore' })
    return false
  } catch {
    return `no ${name} here`
  }
}

async function run(t: TestContext, command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      out += data
    })
  const ended = once()
  child.once('close', () => ended.resolve())
  await ended.promise
  return out
}

onEachTransport('clients of http', (transport: Kind) => {
  async function serve(t: TestContext): Promise<string> {
    const server = endpoint(t, { transport, protocol: 'http', protocols: [http({ pages: 'any' })] })
    server.routeCall('/echo', (value: unknown) => value, { safe: true })
    server.routeCall('/wrap', (value: unknown) => ({ value }))
    server.routeCall('/size', (value: Uint8Array) => value.length, { arg: bytes })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    return url.replace('tcp:', 'http:')
  }

  /** What comes for `requests` until `count` heads are there, or the end. */
  async function exchange(t: TestContext, url: string, requests: string, count: number): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    t.after(() => socket.destroy())
    const all = once()
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (data) => {
      text += data
      if (text.split('HTTP/1.1 ').length > count && text.endsWith('1')) all.resolve()
    })
    socket.once('close', () => all.resolve())
    socket.write(requests)
    await all.promise
    return text
  }

  const post = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

  it('an offer to speak another protocol is passed over, also with a body in chunks', async (t) => {
    const url = await serve(t)
    for (const offer of [
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n',
      'Connection: upgrade\r\nUpgrade: TLS/1.0, HTTP/2.0\r\n',
    ]) {
      const whole = `${post}${offer}Content-Length: 1\r\n\r\n1`
      const chunked = `${post}${offer}Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n`
      const text = await exchange(t, url, whole + chunked + whole, 3)
      assert.deepEqual(text.match(/HTTP\/1.1 \d+|\r\n\r\n1/g), Array(3).fill(['HTTP/1.1 200', '\r\n\r\n1']).flat(), offer)
      assert.doesNotMatch(text, /upgrade/i)
    }
  })

  it('curl that offers HTTP/2', { skip: without('curl', '--version') }, async (t) => {
    const url = await serve(t)
    const args = ['--silent', '--http2', '-H', 'Content-Type: application/json', '-d', '[1]', '-w', ' %{http_code} %{http_version}']
    assert.match(await run(t, 'curl', ...args, `${url}/echo`), /^\[1\] 200 1/)
  })

  it('HTTP/1.0 is told that its connection stays, or sees it end', async (t) => {
    const url = await serve(t)
    const old = 'POST /echo HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 1\r\n'
    const text = await exchange(t, url, `${old}Connection: keep-alive\r\n\r\n1${old}Connection: Keep-Alive\r\n\r\n1${old}\r\n1`, 9)
    assert.deepEqual(text.match(/^Connection: .*(?=\r)/gm), ['Connection: keep-alive', 'Connection: keep-alive', 'Connection: close'])
  })

  it('ab -k', { skip: without('ab', '-V'), timeout: 30_000 }, async (t) => {
    const url = await serve(t)
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-ab-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'body'), '[1]')
    const ab = (...args: string[]): Promise<string> => run(t, 'ab', '-q', '-k', '-n', '200', '-c', '4', '-s', '10', ...args, `${url}/echo`)
    for (const out of [await ab('-p', join(folder, 'body'), '-T', 'application/json'), await ab()]) {
      assert.match(out, /Complete requests: +200\n/)
      assert.match(out, /Keep-Alive requests: +200\n/)
      assert.doesNotMatch(out, /Non-2xx/)
    }
  })

  const bom = '\ufeff'
  const answers: [what: string, path: string, type: string | undefined, body: string, status: number, answer: unknown][] = [
    ['a text, answered by an object', '/wrap', undefined, 'text', 200, { value: 'text' }],
    ['a text, answered by a text', '/echo', 'text/plain', 'text', 200, 'text'],
    ['a vendor’s JSON', '/echo', 'application/vnd.api+json; ext="x"', '{"a":1}', 200, { a: 1 }],
    ['JSON of problems', '/echo', 'application/problem+json', '[]', 200, []],
    ['JSON of old', '/echo', 'text/json', '[]', 200, []],
    ['JSON with a byte order mark', '/echo', 'application/json', `${bom}{"a":1}`, 200, { a: 1 }],
    ['JSON with two', '/echo', 'application/json', `${bom}${bom}{"a":1}`, 400, undefined],
    ['a byte order mark alone', '/echo', 'application/json', bom, 400, undefined],
    ['a picture for bytes', '/size', 'image/png', '12345', 200, 5],
    ['a picture', '/echo', 'image/png; q=1', '12345', 415, { code: 415, msg: 'Unsupported Media Type', cause: 'image/png' }],
    [
      'parts',
      '/echo',
      'multipart/form-data; boundary=x',
      '--x--',
      415,
      { code: 415, msg: 'Unsupported Media Type', cause: 'multipart/form-data' },
    ],
    [
      'a suffix that is unknown',
      '/echo',
      'model/gltf+zip',
      'x',
      415,
      { code: 415, msg: 'Unsupported Media Type', cause: 'model/gltf+zip' },
    ],
  ]
  for (const [what, path, type, body, status, answer] of answers) {
    it(`${what}: ${status}`, async (t) => {
      const url = await serve(t)
      const response = await fetch(url + path, { method: 'POST', body, headers: type === undefined ? {} : { 'Content-Type': type } })
      const text = await response.text()
      assert.equal(response.status, status, text)
      if (answer !== undefined) assert.deepEqual(JSON.parse(text), answer)
    })
  }

  it('nothing runs for what is not understood', async (t) => {
    const server = endpoint(t, { transport, protocol: 'http' })
    let ran = 0
    server.routeCall('/run', () => ++ran)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const response = await fetch(`${url.replace('tcp:', 'http:')}/run`, {
      method: 'POST',
      body: 'x',
      headers: { 'Content-Type': 'image/png' },
    })
    assert.deepEqual([response.status, ran], [415, 0])
  })
})
