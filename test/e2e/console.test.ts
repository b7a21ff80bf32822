import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { request } from 'undici'
import { z } from 'zod'
import { StatusError } from '../../src/index.ts'
import { type ConsoleOptions, type ConsolePlugin, console as consolePages, prometheus } from '../../src/observe/metrics/index.ts'
import { memoryRegistry, RpcClient, RpcServer, staticRegistry } from '../../src/rpc/index.ts'
import { endpoint, type Kind, once, onEachTransport, pair, recorder } from '../support/helpers.ts'
import { silent } from '../support/silent-sockets.ts'

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

async function get(pages: ConsolePlugin, path: string, headers: Record<string, string> = {}) {
  const answer = await request(`${pages.url}${path}`, { headers })
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
}

async function post(pages: ConsolePlugin, path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams(form).toString()
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await request(`${pages.url}${path}`, { method: 'POST', body, headers: { ...type, ...headers } })
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
}

async function csrfOf(pages: ConsolePlugin, path: string): Promise<string> {
  return /name="csrf" value="([^"]+)"/.exec((await get(pages, path)).text)?.[1] ?? ''
}

async function shown(t: TestContext, transport: Kind, options: ConsoleOptions = {}) {
  const pages = consolePages(options)
  const made = await pair(t, transport, { server: { plugins: [pages], overload: true } })
  made.server.routeCall('/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
  made.server.routeCall('/order', (order) => ({ ordered: order }), { arg: z.object({ item: z.string(), count: z.int() }) })
  made.server.routeCall('/fails', () => {
    throw new StatusError(1234, 'out of <i>stock</i>')
  })
  return { pages, ...made }
}

onEachTransport('console', (transport) => {
  it('shows each page with all that happened, and is closed with its endpoint', async (t) => {
    const registry = memoryRegistry()
    const node = new RpcServer('<math>', { listen: 'tcp://127.0.0.1:0', registry, transport, log: false })
    node.routeCall('/sum', () => 1)
    await node.start()
    t.after(() => node.close())
    const client = new RpcClient('<math>', { registry, breaker: {}, retry: {}, transport, log: false })
    t.after(() => client.close())
    assert.equal(await client.call('/sum'), 1)
    const { pages, session, server, peer } = await shown(t, transport, { clients: [client] })
    await session.call('/add', [1, 2])
    await assert.rejects(session.call('/fails', undefined, { meta: { traceparent: trace } }), { code: 1234 })
    await assert.rejects(session.call('/<b>none'), { code: 404 })
    const expected: Record<string, RegExp[]> = {
      '/': [/Calls per second/, /<svg/, /1234/],
      '/sessions': [new RegExp(`<td>${peer.remoteAddress}</td>`), /action="\/sessions\/close"/, /<td>raw<\/td>/],
      '/routes': [/href="\/route\?name=%2Fadd"/, /_OTHER/, /Not called yet:.*%2Forder/],
      '/route?name=%2Ffails': [/<h3>Durations<\/h3>/, /0af7651916cd43dd8448eb211c80319c/],
      '/route?name=%2Forder': [/name="f.item"/],
      '/calls': [/1234/, /404 Not Found/],
      '/services': [/&lt;math&gt;/, />in use</, /Breakers/, />closed</],
      '/limits': [/maxMessage/, /Overload protection/, /<code>dialTimeout<\/code>/],
      '/logs': [/Nothing was logged|class="log"/],
    }
    for (const [path, patterns] of Object.entries(expected)) {
      const { status, text, headers } = await get(pages, path)
      assert.equal(status, 200, path)
      for (const pattern of patterns) assert.match(text, pattern, path)
      assert.doesNotMatch(text, /<b>none|<i>stock|<math>|<script(?! src="\/console\.js" defer><\/script>)|style=|\son\w+=/, path)
      assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self'/)
      assert.equal(headers['cache-control'], 'no-store')
    }
    assert.equal((await get(pages, '/none')).status, 404)
    assert.match((await get(pages, '/console.js')).text, /EventSource/)
    const { url } = pages
    await server.close()
    assert.equal(pages.url, undefined)
    await assert.rejects(request(url as string))
  })

  it('shares the counts of prometheus, whichever plugin is named first', async (t) => {
    for (const isFirst of [true, false]) {
      const pages = consolePages()
      const metrics = prometheus({ go: false })
      const { server, session } = await pair(t, transport, { server: { plugins: isFirst ? [pages, metrics] : [metrics, pages] } })
      server.routeCall('/counted', () => 1)
      await session.call('/counted')
      await session.call('/counted')
      assert.match((await metrics.page()).body.toString(), /dmicro_server_calls_total\{path="\/counted",code="0"\} 2/)
      assert.match(
        (await get(pages, '/routes')).text,
        /%2Fcounted"><code>\/counted<\/code><\/a><\/td><td class="n">–<\/td><td class="n">2</,
      )
    }
  })

  it('closes a session and makes a call, for its own forms only', async (t) => {
    const { pages, session, peer } = await shown(t, transport)
    const csrf = await csrfOf(pages, '/sessions')
    const order = { csrf, name: '/order', 'f.item': '<tea>', 'f.count': '2' }
    const made = await post(pages, '/route/call', order)
    assert.equal(made.status, 200)
    assert.match(made.text, /<span class="ok">OK<\/span>.*&quot;item&quot;: &quot;&lt;tea&gt;&quot;,\n\s+&quot;count&quot;: 2/s)
    assert.match(made.text, /data-events="\/events\?name=%2Forder&amp;page=%2Froute"/)
    assert.match((await post(pages, '/route/call', { csrf, name: '/add', arg: '[1, 2, 3]' })).text, /<pre>6<\/pre>/)
    assert.match((await post(pages, '/route/call', { csrf, name: '/fails' })).text, /1234.*out of &lt;i&gt;stock/s)
    assert.match((await post(pages, '/route/call', { csrf, name: '/add', arg: '[' })).text, /argument cannot be read/)
    assert.match((await post(pages, '/route/call', { csrf, name: '/<b>none' })).text, /404/)

    const own = { origin: pages.url as string, 'sec-fetch-site': 'same-origin' }
    const close = { csrf, endpoint: '1', id: peer.id }
    const refused: [Record<string, string>, Record<string, string>][] = [
      [{ ...close, csrf: '' }, own],
      [{ ...close, csrf: csrf.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A')) }, own],
      [close, { origin: 'http://evil.example' }],
      [close, { origin: 'null' }],
      [close, { 'sec-fetch-site': 'cross-site' }],
      [close, { 'sec-fetch-site': 'same-site' }],
      [close, { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }],
    ]
    for (const [form, headers] of refused)
      assert.equal((await post(pages, '/sessions/close', form, headers)).status, 403, JSON.stringify(headers))
    assert.equal((await post(pages, '/sessions/close', close, { 'content-type': 'text/plain' })).status, 413)
    assert.equal((await post(pages, '/sessions/close', { ...close, more: 'x'.repeat(2 ** 20) })).status, 413)
    assert.ok(session.isOpen)

    const closed = once()
    session.once('close', () => closed.resolve())
    assert.equal((await post(pages, '/sessions/close', close, own)).status, 303)
    await closed.promise
  })

  it('closes a session and makes a call whatever invisible characters the id, the name and the argument have', async (t) => {
    const family = '\u{1f468}\u200d\u{1f469}'
    const { pages, server, session, peer } = await shown(t, transport)
    server.routeCall(`/${family}`, (value) => value)
    const hidden = (text: string, name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? ''
    peer.setId(family)
    const closed = once()
    session.once('close', () => closed.resolve())
    await post(pages, '/sessions/close', {
      csrf: await csrfOf(pages, '/sessions'),
      endpoint: '1',
      id: hidden((await get(pages, '/sessions')).text, 'id'),
    })
    await closed.promise

    const route = (await get(pages, `/route?name=${encodeURIComponent(`/${family}`)}`)).text
    const csrf = hidden(route, 'csrf')
    const made = await post(pages, '/route/call', { csrf, name: hidden(route, 'name'), arg: `"${family}"` })
    assert.match(made.text, /<span class="ok">OK</)
    assert.ok(made.text.includes(`>&quot;${family}&quot;</textarea>`))
  })

  it('keeps no address and no route of an endpoint that is closed, and calls one that has the route', async (t) => {
    const { pages, server } = await shown(t, transport)
    for (let i = 0; i < 9; i++) {
      const gone = endpoint(t, { transport, plugins: [pages] })
      gone.routeCall(`/gone${i}`, () => 1)
      await gone.listen('tcp://127.0.0.1:0')
      await gone.close()
    }
    const other = endpoint(t, { transport, plugins: [pages], protocol: 'json' })
    other.routeCall('/live', () => 'hi')
    const { url } = await other.listen('tcp://127.0.0.1:0')
    const csrf = await csrfOf(pages, '/route?name=%2Flive')
    assert.match((await post(pages, '/route/call', { csrf, name: '/live' })).text, /<pre>&quot;hi&quot;<\/pre>/)
    assert.match((await post(pages, '/route/call', { csrf, name: '/add', arg: '[1, 2]' })).text, /<pre>3<\/pre>/)
    assert.doesNotMatch((await get(pages, '/routes')).text, /gone/)
    assert.equal((await get(pages, '/')).text.split('<code>tcp:').length - 1, 2)
    await server.close()
    assert.match((await get(pages, '/')).text, new RegExp(`<code>${url}</code>`))
  })

  it('stays live after a call whose argument is too long for an address', async (t) => {
    const { pages } = await shown(t, transport)
    const csrf = await csrfOf(pages, '/sessions')
    const { text } = await post(pages, '/route/call', { csrf, name: '/add', arg: JSON.stringify(['x'.repeat(20_000)]) })
    const events = /data-events="([^"]+)"/.exec(text)?.[1].replaceAll('&amp;', '&') as string
    const { body, statusCode } = await request(`${pages.url}${events}`)
    body.destroy()
    assert.equal(statusCode, 200)
  })

  it('is live again after a close and a start', async (t) => {
    const { pages, server } = await shown(t, transport)
    await pages.close()
    await pages.start()
    const { body } = await request(`${pages.url}/events?page=%2Flogs`)
    t.after(() => body.destroy())
    const events = body[Symbol.asyncIterator]()
    await events.next()
    server.log.info('seen again')
    assert.match(String((await events.next()).value), /seen again/)
  })

  it('shows the failed calls of a meter that two of them share', async (t) => {
    const metrics = prometheus({ go: false })
    const [first, second] = [consolePages(), consolePages()]
    const { session } = await pair(t, transport, { server: { plugins: [metrics, first] } })
    await endpoint(t, { transport, plugins: [metrics, second] }).listen('tcp://127.0.0.1:0')
    await assert.rejects(session.call('/none'), { code: 404 })
    for (const pages of [first, second]) assert.match((await get(pages, '/calls')).text, /404 Not Found/)
  })

  it('shows each option with its value, those of an option that is an object too', async (t) => {
    const pages = consolePages()
    const server = endpoint(t, { transport, plugins: [pages], overload: { minConcurrency: 7 }, redial: { times: 3 } })
    await server.listen('tcp://127.0.0.1:0')
    const { text } = await get(pages, '/limits')
    for (const [name, value] of [
      ['overload.minConcurrency', '7'],
      ['redial.times', '3'],
      ['protocol', 'raw'],
    ])
      assert.match(text, new RegExp(`<code>${name}</code></td><td class="n">${value}</td>`))
  })

  it('shows no user and no query of a node, which may be secrets', async (t) => {
    const address = 'ws://user:s3cret@127.0.0.1:9/path?key=s3cret'
    const client = new RpcClient('/secret', { registry: staticRegistry([address]), transport, log: false, breaker: {} })
    t.after(() => client.close())
    await client.call('/any', undefined, { timeout: 1_000 }).catch(() => {})
    const { pages } = await shown(t, transport, { clients: [client] })
    const { text } = await get(pages, '/services')
    assert.match(text, /<code>ws:\/\/\*\*\*@127\.0\.0\.1:9\/path\?\*\*\*<\/code>/)
    assert.doesNotMatch(text, /s3cret/)
  })

  it('lets a new connection in when others keep all places and say nothing', async (t) => {
    const { pages } = await shown(t, transport)
    const sockets = await silent(t, pages.url as string, 128)
    assert.equal((await get(pages, '/')).status, 200)
    assert.ok(sockets.length === 128)
  })

  it('shows nothing to pages of other origins, nor by a name that leads here', async (t) => {
    const { pages } = await shown(t, transport, { hosts: ['box.example'] })
    const status = async (headers: Record<string, string>, path = '/'): Promise<number> => (await get(pages, path, headers)).status
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    assert.equal(await status(link), 200)
    assert.equal(await status({ ...link, 'sec-fetch-dest': 'iframe' }), 403)
    for (const path of ['/', '/events?page=/', '/console.js']) {
      assert.equal(await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, path), 403)
      assert.equal(await status({ host: 'evil.example:80' }, path), 403)
    }
    for (const host of ['box.example', 'BOX.example:80', 'localhost:1', '[::1]:1', '10.0.0.1'])
      assert.equal(await status({ host }), 200, host)
    for (const host of ['', '127.0.0.1.evil.example', 'localhost.evil.example', 'x@localhost'])
      assert.notEqual(await status({ host }), 200, host)
  })

  it('asks for the token, by a form, a link or a header', async (t) => {
    const token = 'a token of 20 letters'
    const { pages } = await shown(t, transport, { token })
    for (const path of ['/', '/sessions', '/events?page=/', '/?token=wrong', '/none']) {
      const { status, text } = await get(pages, path)
      assert.equal(status, 401)
      assert.match(text, /name="token"/)
      assert.doesNotMatch(text, /csrf|Listening/)
    }
    assert.equal((await post(pages, '/sessions/close', {})).status, 401)
    assert.equal((await get(pages, '/', { authorization: `Bearer ${token}` })).status, 200)
    assert.equal((await get(pages, '/', { authorization: `bearer  ${token}` })).status, 200)
    assert.equal((await get(pages, '/', { authorization: `Bearer ${token}x` })).status, 401)
    assert.equal((await post(pages, '/login', { token: 'wrong' })).status, 401)
    assert.equal((await post(pages, '/login', { token }, { origin: 'http://evil.example' })).status, 403)
    const link = await get(pages, `/sessions?token=${encodeURIComponent(token)}&q=raw`)
    assert.deepEqual([link.status, link.headers.location], [303, '/sessions?q=raw'])
    const login = await post(pages, '/login', { token })
    for (const { headers } of [link, login]) {
      const cookie = String(headers['set-cookie'])
      assert.match(cookie, /; HttpOnly; SameSite=Strict$/)
      assert.ok(!cookie.includes(token))
      assert.equal((await get(pages, '/', { cookie: cookie.split(';')[0] })).status, 200)
      assert.equal((await get(pages, '/', { cookie: `${cookie.split(';')[0]}x` })).status, 401)
      const again = await get(pages, `/?token=${encodeURIComponent(token)}`, { cookie: cookie.split(';')[0] })
      assert.deepEqual([again.status, again.headers.location], [303, '/'])
    }
  })

  it('that has no token asks for none, also when it is shown one', async (t) => {
    const { pages } = await shown(t, transport)
    const { status, text } = await get(pages, '/?token=any')
    assert.equal(status, 200)
    assert.doesNotMatch(text, /name="token"/)
  })

  it('sends an open page what changes, and stops when it is closed', async (t) => {
    const { pages, session, server } = await shown(t, transport)
    const abort = new AbortController()
    const { body, headers } = await request(`${pages.url}/events?page=%2Flogs`, { signal: abort.signal })
    assert.equal(headers['content-type'], 'text/event-stream')
    await session.call('/add', [1])
    let seen = ''
    const messages = body[Symbol.asyncIterator]()
    server.log.info('seen <live>')
    while (!seen.includes('seen &lt;live&gt;')) seen += String((await messages.next()).value)
    assert.match(seen, /^data: \{"log":"/)
    abort.abort()
    await assert.rejects(messages.next())
  })

  it('shows a log line that has a field without a value, also while it is open', async (t) => {
    const { pages, server } = await shown(t, transport)
    const { body } = await request(`${pages.url}/events?page=%2Flogs`)
    t.after(() => body.destroy())
    const events = body[Symbol.asyncIterator]()
    await events.next()
    server.log.warn('half known', { gone: undefined, kept: 'here' })
    const { value } = await events.next()
    assert.match(String(value), /half known.*kept=.*here/)
    assert.doesNotMatch((await get(pages, '/logs')).text, /gone/)
  })

  it('ends an open page that can no longer be made, and logs why', async (t) => {
    const client = new RpcClient('/broken', { registry: memoryRegistry(), transport, log: false })
    t.after(() => client.close())
    const log = recorder()
    const pages = consolePages({ clients: [client] })
    await pair(t, transport, { server: { plugins: [pages], log } })
    const { body } = await request(`${pages.url}/events?page=%2Fservices`)
    const events = body[Symbol.asyncIterator]()
    await events.next()
    const { selector } = client
    let isBroken = true
    Object.defineProperty(client, 'selector', {
      get: () => {
        if (isBroken) throw new Error('broken')
        return selector
      },
    })
    await assert.rejects(events.next())
    isBroken = false
    assert.deepEqual(
      log.lines.map(({ text }) => text),
      ['a page of the console failed'],
    )
  })

  it('only shows, with the option readOnly', async (t) => {
    const { pages, session, peer } = await shown(t, transport, { readOnly: true })
    assert.doesNotMatch((await get(pages, '/sessions')).text, /method="post"/)
    assert.doesNotMatch((await get(pages, '/route?name=%2Fadd')).text, /method="post"/)
    assert.equal((await post(pages, '/sessions/close', { endpoint: '1', id: peer.id })).status, 403)
    assert.ok(session.isOpen)
  })

  it('does not listen twice: an address in use makes listen reject', async (t) => {
    const first = consolePages()
    const url = await first.start()
    t.after(() => first.close())
    const server = endpoint(t, { transport, plugins: [consolePages({ listen: url })] })
    await assert.rejects(server.listen('tcp://127.0.0.1:0'), { code: 'EADDRINUSE' })
  })
})
