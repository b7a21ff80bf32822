import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { http } from '../../src/index.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'

const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

/** What runs in the page, which comes from a file and so from another origin: preflights, requests side by side, an error, a large reply. */
const page = (base: string): string => `<body><script>
  const post = (path, value) => fetch('${base}' + path, { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Who': 'page' }, body: JSON.stringify(value) })
  ;(async () => {
    const sums = await Promise.all(Array.from({ length: 20 }, async (_, i) => (await post('/math/add', [i, 1])).json()))
    const big = await (await fetch('${base}/big')).json()
    const none = await fetch('${base}/none')
    return { sums, big: big.length, who: await (await post('/who')).json(), none: [none.status, await none.json()] }
  })().then((seen) => JSON.stringify(seen), String).then((text) => { document.body.textContent = text })
</script>`

/** What the browser shows of `url` when all is done. */
async function shown(t: TestContext, url: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-browser-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    `--user-data-dir=${folder}/profile`,
    '--virtual-time-budget=10000',
    '--dump-dom',
    '--host-resolver-rules=MAP evil.example 127.0.0.1',
  ]
  const { stdout } = await promisify(execFile)(chromium as string, [...flags, url], { timeout: 50_000 })
  return JSON.parse(/<body[^>]*>(.*)<\/body>/s.exec(stdout)?.[1] ?? 'null')
}

/**
 * What a page of anybody's tries, at addresses of each protocol, and at last at its own name, which leads to us by then: to the browser that is
 * of the same origin.
 */
const attacks = (bases: readonly string[]): string => `<body><script>
  const line = '\\r\\n{"jsonrpc":"2.0","id":1,"method":"/run","params":[]}\\r\\n*1\\r\\n$3\\r\\nrun\\r\\n'
  const settled = (promise) => promise.then(() => 'seen', () => 'refused')
  const image = (src) => new Promise((resolve) => Object.assign(new Image(), { src, onload: resolve, onerror: resolve }))
  const form = (action, enctype) => new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { name: 'f' + Math.random(), onload: () => setTimeout(resolve, 200) })
    const form = Object.assign(document.createElement('form'), { action, enctype, method: 'POST', target: frame.name })
    form.append(Object.assign(document.createElement('textarea'), { name: line, value: line }))
    document.body.append(frame, form)
    form.submit()
  })
  const script = (src) => new Promise((resolve) => document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: resolve })))
  ;(async () => {
    const read = []
    for (const base of ${JSON.stringify(bases)}) {
      const url = base + '/run'
      await settled(fetch(url, { method: 'POST', mode: 'no-cors', body: line }))
      await settled(fetch(url, { method: 'POST', mode: 'no-cors', body: new Blob([line]) }))
      await settled(fetch(url, { method: 'POST', mode: 'no-cors', referrerPolicy: 'no-referrer', body: line }))
      navigator.sendBeacon(url, line)
      for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) await form(url, type)
      await image(url)
      await script(url)
      read.push(await settled(fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '[]' })))
      read.push(await settled(fetch(url, { method: 'POST', headers: { 'X-Seq': '1' } })))
      read.push(await settled(fetch(url)))
      await settled(fetch(url, { mode: 'no-cors' }))
    }
    for (const method of ['POST', 'GET', 'PUT']) {
      for (const headers of [{ 'Content-Type': 'application/json' }, { 'Content-Type': 'text/plain' }, { 'X-Seq': '1' }]) {
        const own = await fetch('/run', { method, headers, body: method === 'GET' ? undefined : '[]' })
        read.push(own.status)
      }
    }
    return read
  })().then((seen) => JSON.stringify(seen), String).then((text) => { document.body.textContent = text })
</script>`

onEachTransport('a browser', (transport) => {
  it('calls routes from a page of another origin', { skip: chromium === undefined && 'no chromium here', timeout: 60_000 }, async (t) => {
    const server = endpoint(t, { transport, protocols: [http({ cors: '*' })] })
    server.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
    server.routeCall('/big', () => 'x'.repeat(100_000), { safe: true })
    server.routeCall('/who', (_, ctx) => ctx.meta['x-who'])
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http'] })
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-page-'))
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    const file = join(folder, 'page.html')
    writeFileSync(file, page(url.replace('tcp:', 'http:')))
    assert.deepEqual(await shown(t, `file://${file}`), {
      sums: Array.from({ length: 20 }, (_, i) => i + 1),
      big: 100_000,
      who: 'page',
      none: [404, { code: 404, msg: 'Not Found', cause: '' }],
    })
  })

  it('runs nothing for a page of anybody’s', { skip: chromium === undefined && 'no chromium here', timeout: 60_000 }, async (t) => {
    const ran: string[] = []
    const bases: string[] = []
    for (const protocols of [['http'], ['jsonrpc'], ['redis'], ['raw', 'http', 'jsonrpc', 'redis']]) {
      const server = endpoint(t, { transport })
      for (const route of ['/run', '/redis/run', '/redis/get', '/redis/post']) {
        server.routeCall(route, (_: unknown, ctx) => void ran.push(`${protocols}: ${ctx.serviceMethod} ${JSON.stringify(ctx.meta)}`))
      }
      bases.push((await server.listen('tcp://127.0.0.1:0', { protocols })).url.replace('tcp:', 'http:'))
    }
    const html = attacks(bases)
    const site = createServer((socket) => {
      t.after(() => socket.destroy())
      socket.on('error', () => {})
      socket.once('data', (bytes) => {
        if (bytes.toString().startsWith('GET / ')) {
          socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${html.length}\r\nConnection: close\r\n\r\n${html}`)
        } else {
          const us = connect(Number(new URL(bases[0]).port), '127.0.0.1')
          us.on('error', () => {})
          us.write(bytes)
          socket.pipe(us).pipe(socket)
        }
      })
    })
    const listening = once()
    site.listen(0, '127.0.0.1', () => listening.resolve())
    t.after(() => site.close())
    await listening.promise
    const seen = await shown(t, `http://evil.example:${(site.address() as AddressInfo).port}/`)
    assert.deepEqual(ran, [])
    assert.ok(Array.isArray(seen), String(seen))
    assert.deepEqual(seen, [...Array(12).fill('refused'), 403, 403, 403, 405, 405, 299, 403, 403, 403])
  })
})
