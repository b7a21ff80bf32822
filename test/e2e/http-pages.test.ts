import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Endpoint, type HttpOptions, http, ignoreCase } from '../../src/index.ts'
import { endpoint, type Kind, onEachTransport } from '../support/helpers.ts'

/** Path, status and what else is asked for; by `fetch` of Node, which says nothing of pages by itself. */
interface Answer {
  status: number
  allow: string | null
  body: unknown
}

onEachTransport('who may call over http', (transport: Kind) => {
  async function ask(server: Endpoint, path: string, init: RequestInit = {}): Promise<Answer> {
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['http'] })
    const response = await fetch(url.replace('tcp:', 'http:') + path, init)
    const body = await response.text()
    return { status: response.status, allow: response.headers.get('allow'), body: body === '' ? '' : JSON.parse(body) }
  }
  const post = (value: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  })
  const posed = { method: 'POST', headers: { Origin: 'https://evil.example', 'Content-Type': 'text/plain' }, body: '1' }

  it('GET reaches routes that are registered as safe, POST all of them', async (t) => {
    const server = endpoint(t, { transport })
    let ran = 0
    server.routeCall('/set', () => ++ran)
    server.routeCall('/get', () => 'got', { safe: true })
    class Reader {
      all() {
        return 'all'
      }
    }
    server.routeCall(new Reader(), { safe: true })
    assert.deepEqual(await ask(server, '/get'), { status: 200, allow: null, body: 'got' })
    assert.deepEqual(await ask(server, '/reader/all'), { status: 200, allow: null, body: 'all' })
    assert.deepEqual(await ask(server, '/get', post(1)), { status: 200, allow: null, body: 'got' })
    const refused = { code: 405, msg: 'Method Not Allowed', cause: 'the route is not registered as safe: call it by POST' }
    assert.deepEqual(await ask(server, '/set'), { status: 405, allow: 'OPTIONS, POST', body: refused })
    assert.equal((await ask(server, '/none')).status, 404)
    assert.equal(ran, 0)
    assert.deepEqual(await ask(server, '/set', post(1)), { status: 200, allow: null, body: 1 })
    assert.throws(() => server.routeCall('/x', () => 1, { safe: 'yes' as never }), /option safe must be true or false, got "yes"/)
  })

  it('hooks, waiting rooms and handlers of what is unknown keep to it', async (t) => {
    const server = endpoint(t, { transport, plugins: [ignoreCase()], overload: true })
    let ran = 0
    server.routeCall('/set', () => ++ran)
    server.routeCall('/get', () => 'got', { safe: true })
    server.setUnknownCall(() => ++ran)
    assert.equal((await ask(server, '/GET')).body, 'got')
    for (const path of ['/set', '/SET', '/none']) assert.equal((await ask(server, path)).status, 405, path)
    assert.equal(ran, 0)
    server.setUnknownCall(() => 'anything', { safe: true })
    assert.equal((await ask(server, '/none')).body, 'anything')
    assert.equal((await ask(server, '/SET')).status, 405)
    assert.equal(ran, 0)
  })

  const cases: [what: string, path: string, init: RequestInit, status: number, allow: string | null][] = [
    ['a simple POST of a page', '/set', posed, 403, null],
    ['a page of another origin that asked nobody', '/set', { ...post(1), headers: { ...post(1).headers, Origin: 'null' } }, 403, null],
    ['a form', '/set', { method: 'POST', body: new URLSearchParams({ a: '1' }) }, 415, null],
    ['a text', '/set', { method: 'POST', body: 'text' }, 415, null],
    ['nothing', '/set', { method: 'POST' }, 415, null],
    ['PUT', '/set', { ...post(1), method: 'PUT' }, 405, 'OPTIONS, POST'],
    ['DELETE', '/set', { method: 'DELETE' }, 405, 'OPTIONS, POST'],
    ['OPTIONS', '/set', { method: 'OPTIONS' }, 204, 'OPTIONS, POST'],
    ['an empty Content-Type', '/set', { ...post(1), headers: { 'Content-Type': '' } }, 415, null],
    ['DELETE of a safe route', '/get', { method: 'DELETE' }, 405, 'GET, HEAD, OPTIONS, POST'],
    ['OPTIONS of a safe route', '/get', { method: 'OPTIONS' }, 204, 'GET, HEAD, OPTIONS, POST'],
    ['OPTIONS of no route', '/none', { method: 'OPTIONS' }, 204, 'GET, HEAD, OPTIONS, POST'],
    ['HEAD', '/set', { method: 'HEAD' }, 405, 'OPTIONS, POST'],
  ]
  for (const [what, path, init, status, allow] of cases) {
    it(`${what}: ${status}, and nothing runs`, async (t) => {
      const server = endpoint(t, { transport })
      let ran = 0
      server.routeCall('/set', () => ++ran)
      server.routeCall('/get', () => ++ran, { safe: true })
      const answer = await ask(server, path, init)
      assert.deepEqual([answer.status, answer.allow, ran], [status, allow, 0])
    })
  }

  it('OPTIONS tells of what takes unknown calls, and of the whole server', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/get', () => 1, { safe: true })
    server.setUnknownCall(() => 1)
    const allowed = async (path: string): Promise<string | null> => (await ask(server, path, { method: 'OPTIONS' })).allow
    assert.equal(await allowed('/none'), 'OPTIONS, POST')
    assert.equal(await allowed('/get'), 'GET, HEAD, OPTIONS, POST')
    server.setUnknownCall(() => 1, { safe: true })
    assert.equal(await allowed('/none'), 'GET, HEAD, OPTIONS, POST')
  })

  it('cors lets pages in, and pages: any lets in everything', async (t) => {
    const made = (options: HttpOptions): Endpoint => {
      const server = endpoint(t, { transport, protocols: [http(options)] })
      server.routeCall('/set', (value: unknown) => value)
      return server
    }
    assert.equal((await ask(made({ cors: ['https://evil.example'] }), '/set', posed)).body, '1')
    assert.equal((await ask(made({ cors: ['https://good.example'] }), '/set', posed)).status, 403)
    for (const init of [posed, {}, { method: 'DELETE' }, { method: 'OPTIONS' }])
      assert.equal((await ask(made({ pages: 'any' }), '/set', init)).status, 200)
  })

  it('two of us over http need no leave', async (t) => {
    const server = endpoint(t, { transport, protocol: 'http' })
    server.routeCall('/set', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = await endpoint(t, { transport, protocol: 'http' }).dial(url)
    for (const codec of ['json', 'plain', 'msgpack']) assert.equal(await session.call('/set', 'x', { codec }), 'x')
    assert.deepEqual({ ...(await session.call<object>('/set', { a: '1' }, { codec: 'form' })) }, { a: '1' })
  })
})
