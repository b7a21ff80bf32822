import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { bytes, type EndpointOptions, http, type Session } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport, status } from '../support/helpers.ts'

const nginx = ['nginx', '/usr/sbin/nginx'].find((name) => {
  try {
    execFileSync(name, ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

onEachTransport('other servers of http', (transport: Kind) => {
  const dial = (t: TestContext, url: string, options: EndpointOptions = {}): Promise<Session> =>
    endpoint(t, { transport, protocol: 'http', protocols: [http()], ...options }).dial(url)

  async function nodeHttp(t: TestContext, listener: RequestListener, where: { host: string } | { path: string }): Promise<string> {
    const server = createHttp(listener)
    const listening = once()
    server.listen('path' in where ? where : { port: 0, ...where }, () => listening.resolve())
    await listening.promise
    t.after(() => {
      server.close()
      server.closeAllConnections()
    })
    if ('path' in where) return `unix://${where.path}`
    const { port, family, address } = server.address() as AddressInfo
    return `tcp://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /** A server that answers the first bytes of each connection with `text`, and ends it. */
  async function canned(t: TestContext, ...parts: (string | Buffer)[]): Promise<string> {
    const server = createServer(async (socket: Socket) => {
      socket.on('error', () => {})
      t.after(() => socket.destroy())
      await new Promise((resolve) => socket.once('data', resolve))
      for (const part of parts) {
        socket.write(part)
        await sleep(1)
      }
      socket.end()
    })
    const listening = once()
    server.listen(0, '127.0.0.1', () => listening.resolve())
    await listening.promise
    t.after(() => server.close())
    return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const mirror: RequestListener = (request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify([request.headersDistinct.host, request.url]))
  }

  it('node:http is told where it was dialled, by IPv4, IPv6, name and path', async (t) => {
    for (const host of ['127.0.0.1', '::1']) {
      const url = await nodeHttp(t, mirror, { host })
      assert.deepEqual(await (await dial(t, url)).call('/a'), [[url.slice('tcp://'.length)], '/a'])
    }
    const url = (await nodeHttp(t, mirror, { host: '127.0.0.1' })).replace('127.0.0.1', 'localhost')
    const session = await dial(t, url)
    assert.deepEqual(await session.call('/a'), [[url.slice('tcp://'.length)], '/a'])
    assert.deepEqual(await session.call('/a', 1, { meta: { hOST: 'other.example' } }), [['other.example'], '/a'])
    assert.deepEqual(await session.call('/a', 1, { meta: { a: '"host":' } }), [[url.slice('tcp://'.length)], '/a'])
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-http-'))
    t.after(() => rmSync(folder, { recursive: true }))
    assert.deepEqual(await (await dial(t, await nodeHttp(t, mirror, { path: join(folder, 's') }))).call('/a'), [['localhost'], '/a'])
  })

  it('a redial tells it too, and host: false nobody', async (t) => {
    const url = await nodeHttp(
      t,
      (request, response) => {
        if (request.url === '/end') response.setHeader('Connection', 'close')
        mirror(request, response)
      },
      { host: '127.0.0.1' },
    )
    const session = await dial(t, url, { redial: { minDelay: 1, maxDelay: 1 } })
    const answer = [[url.slice('tcp://'.length)], '/end']
    for (let i = 0; i < 3; i++) {
      const redialed = once()
      session.once('redialed', redialed.resolve)
      assert.deepEqual(await session.call('/end'), answer)
      await redialed.promise
    }
    assert.equal((await status((await dial(t, url, { protocols: [http({ host: false })] })).call('/a')))[0], 400)
  })

  const head = 'Content-Type: application/json\r\n'
  const replies: [what: string, parts: (string | Buffer)[], expected: unknown][] = [
    ['HTTP/1.0 without a length', [`HTTP/1.0 200 OK\r\n${head}\r\n`, '{"a":', '1}'], { a: 1 }],
    ['HTTP/1.1 without a length', [`HTTP/1.1 200 OK\r\nConnection: close\r\n${head}\r\n{"a":1}`], { a: 1 }],
    ['no length and no body', ['HTTP/1.0 200 OK\r\n\r\n'], undefined],
    ['no type', ['HTTP/1.0 200 OK\r\n\r\n[1]'], [1]],
    ['no length, through gzip', [`HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n${head}\r\n`, gzipSync('[2]')], [2]],
    ['no length, 500 KiB', [`HTTP/1.0 200 OK\r\n${head}\r\n"`, 'x'.repeat(500_000), '"'], 'x'.repeat(500_000)],
    [
      'hints and 100 before it',
      [`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n${head}Content-Length: 1\r\n\r\n3`],
      3,
    ],
    ['204', ['HTTP/1.1 204 No Content\r\n\r\n'], undefined],
    ['205 without a body', ['HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'], undefined],
    ['an offer of another protocol', [`HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\n${head}Content-Length: 1\r\n\r\n4`], 4],
    [
      'a vendor’s JSON with a byte order mark',
      ['HTTP/1.1 200 OK\r\nContent-Type: application/hal+json\r\nContent-Length: 4\r\n\r\n\ufeff5'],
      5,
    ],
    ['a text', ['HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n[6]'], '[6]'],
  ]
  for (const [what, parts, expected] of replies) {
    it(`a reply: ${what}`, async (t) => {
      assert.deepEqual(await (await dial(t, await canned(t, ...parts))).call('/a'), expected)
    })
  }

  const failures: [what: string, parts: string[], expected: unknown][] = [
    ['a page', ['HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>'], [415, 'Unsupported Media Type', 'text/html']],
    ['an error without a length', ['HTTP/1.0 404 Not Found\r\n\r\n', 'no'], [404, 'Not Found', 'no']],
    [
      'a problem',
      ['HTTP/1.1 409 X\r\nContent-Type: application/problem+json\r\nContent-Length: 13\r\n\r\n{"title":"x"}'],
      [409, 'Conflict', '{"title":"x"}'],
    ],
    ['another protocol', ['HTTP/1.1 101 Switching Protocols\r\n\r\n'], [102, 'Connection Closed', '']],
    ['half of one with a length', ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1'], [102, 'Connection Closed', '']],
    ['half of one in chunks', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n'], [102, 'Connection Closed', '']],
  ]
  for (const [what, parts, expected] of failures) {
    it(`a reply that is none: ${what}`, async (t) => {
      const [code, message, cause] = await status((await dial(t, await canned(t, ...parts))).call('/a'))
      assert.deepEqual([code, message, code === 102 ? '' : cause], expected)
    })
  }

  it('a picture for bytes, and one without end over the limit', async (t) => {
    const session = await dial(t, await canned(t, 'HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n123'))
    assert.deepEqual(await session.call('/a', undefined, { result: bytes }), new Uint8Array(Buffer.from('123')))
    const limited = await dial(t, await canned(t, 'HTTP/1.0 200 OK\r\n\r\n"', 'x'.repeat(2000)), { limits: { maxMessage: 1000 } })
    assert.equal((await status(limited.call('/a')))[0], 102)
  })

  it('nginx', { skip: nginx === undefined && 'no nginx here' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-nginx-'))
    const own = endpoint(t, { transport, protocol: 'http' })
    own.routeCall('/echo', (value: unknown, ctx) => [value, ctx.meta.mine])
    const { url } = await own.listen(`unix://${join(folder, 'own')}`)
    const config = `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
      http { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
        upstream own { server unix:${url.slice('unix://'.length)}; keepalive 4; }
        server { listen unix:${folder}/front; default_type application/json;
          location /echo { proxy_pass http://own; proxy_http_version 1.1; proxy_set_header Connection ""; }
          location /old { rewrite ^ /echo break; proxy_pass http://own; }
          location /host { return 200 '"$host"'; }
          location /none { return 204; } } }`
    writeFileSync(join(folder, 'conf'), config)
    const child = spawn(nginx as string, ['-c', join(folder, 'conf'), '-p', folder], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (data) => {
      said += data
    })
    t.after(async () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })
    const session = await dial(t, `unix://${folder}/front`, { redial: { minDelay: 10, maxDelay: 50 } }).catch((error) => {
      throw new Error(said, { cause: error })
    })
    assert.equal(await session.call('/host', 1), 'localhost')
    assert.equal(await session.call('/none', 1), undefined)
    for (const path of ['/echo', '/echo', '/old', '/old'])
      assert.deepEqual(await session.call(path, { a: 1 }, { meta: { mine: 'x' } }), [{ a: 1 }, 'x'])
    assert.equal((await status(session.call('/nowhere', 1)))[0], 404)
    assert.deepEqual(await session.call('/echo', 1, { meta: { mine: 'x' } }), [1, 'x'])
  })
})
