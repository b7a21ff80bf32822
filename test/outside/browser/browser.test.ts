import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { build } from 'esbuild'
import { Authority, certificates } from '../../support/certificates.ts'
import { type Started, start } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'
import { Chromium, type Page } from './chromium.ts'
import { assertSeen } from './expected.ts'
import { checkedEndpoint, type Served, serve as servePages } from './served.ts'

const server = join(import.meta.dirname, '../../../examples/browser/server.mjs')
const lines = `[...document.querySelectorAll('li')].map((line) => line.textContent)`

function serve(t: TestContext, port: string, file: string): Promise<Started> {
  return start(t, process.execPath, [server, port, file])
}

function say(page: Page, text: string): Promise<void> {
  return page.value(`document.querySelector('input').value = ${JSON.stringify(text)}; document.querySelector('form').requestSubmit()`)
}

async function kill({ child }: Started): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

const project = join(import.meta.dirname, 'project')

/** A folder with an entry of `project` that esbuild bundled, since workers have no import maps. */
async function bundled(t: TestContext, entry: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dmicro-page-'))
  t.after(() => rm(folder, { recursive: true }))
  const { warnings } = await build({
    entryPoints: [join(project, entry)],
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    alias: { 'dmicro/browser': join(import.meta.dirname, '../../../dist/browser.js') },
  })
  assert.deepEqual(warnings, [])
  return folder
}

const certificate = certificates().server

/** The hash by which Chromium knows the key of a certificate. */
function keyHash(cert: string): string {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('base64')
}

/** A page with a session that keeps the numbers that are pushed to it. */
async function counting(chromium: Chromium, { origin, url, endpoint, sessions }: Served): Promise<Page> {
  const page = await chromium.page(`${origin}/`)
  const begun = new Promise((resolve) => endpoint.once('session', resolve))
  await page.value(`(async () => {
    const { Endpoint, heartbeatPong } = await import('dmicro/browser')
    const client = new Endpoint({ redial: true })
    window.numbers = []
    window.events = []
    client.routePush('/number', (number) => {
      numbers.push(number)
      document.title = String(number)
    })
    window.session = await client.dial(${JSON.stringify(url)})
    for (const name of ['redialing', 'redialed', 'gap', 'close']) session.on(name, () => events.push(name))
    await session.call('/echo', 1) // the token to resume with came before this
  })()`)
  await begun
  assert.equal(sessions.length, 1)
  return page
}

/** Pushes numbers up to `last`, and waits until the page has all of them. */
async function pushTo(page: Page, { sessions }: Served, from: number, last: number): Promise<void> {
  for (let number = from; number <= last; number++) await sessions[0].push('/number', number)
  await page.until(`document.title === '${last}'`)
}

async function assertResumed(page: Page, served: Served, last: number): Promise<void> {
  assert.deepEqual(
    await page.value('numbers'),
    Array.from({ length: last }, (_, index) => index + 1),
  )
  const events = await page.value<string[]>('events')
  assert.deepEqual(events, ['redialing', 'redialed'])
  assert.equal(await page.value(`session.call('/back-fails').catch(({ code }) => code)`), 404) // in both directions
  assert.equal(served.sessions[0].state, 'open')
}

await suite(
  'dmicro/browser in Chromium',
  () => {
    needCommands({ chromium: 'chromium' })
    return Chromium.start([keyHash(certificate.cert)])
  },
  (chromium) => {
    after(() => chromium.close())

    test('two pages of the example chat, and lose no line when the server is killed and started again', async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'dmicro-chat-'))
      t.after(() => rm(folder, { recursive: true }))
      const file = join(folder, 'chat.txt')
      const first = await serve(t, '0', file)
      const pages = [await chromium.page(first.line), await chromium.page(first.line)]
      const all = (condition: string): Promise<unknown> => Promise.all(pages.map((page) => page.until(condition)))
      const state = (text: string): string => `document.querySelector('output').textContent === '${text}'`
      await all(state('here'))
      await say(pages[0], 'one')
      await say(pages[1], 'two')
      await all(`${lines}.length === 2`)
      await kill(first)
      await all(state('reconnecting'))
      await say(pages[0], 'three') // waits for the server
      await serve(t, new URL(first.line).port, file)
      await all(`${state('here')} && ${lines}.length === 3`)
      await say(pages[1], 'four')
      await all(`${lines}.length === 4`)
      const seen = await Promise.all(pages.map((page) => page.value<string[]>(lines)))
      assert.deepEqual(seen[0].toSorted(), ['four', 'one', 'three', 'two'])
      assert.deepEqual(seen[0], seen[1])
    })

    for (const protocol of ['raw', 'json']) {
      test(`a page calls, is called, and is told why calls fail, over ${protocol}`, async (t) => {
        const { origin, url } = await servePages(t, project)
        const page = await chromium.page(`${origin}/`)
        assertSeen(await page.value(`import('/checks.js').then(({ check }) => check('${url}', '${protocol}'))`))
      })
    }

    for (const transport of ['native', 'js'] as const) {
      test(`so does a page over wss, served by the transport ${transport}; a certificate it does not trust is refused`, async (t) => {
        const { origin } = await servePages(t, project)
        const endpoint = checkedEndpoint(transport)
        t.after(() => endpoint.close({ timeout: 0 }))
        const listen = (tls: { key: string; cert: string }) =>
          endpoint.listen('wss://127.0.0.1:0/rpc', { protocols: ['raw', 'json'], websocket: { origins: [origin] }, tls })
        const { url } = await listen(certificate)
        const page = await chromium.page(`${origin}/`)
        for (const protocol of ['raw', 'json'])
          assertSeen(await page.value(`import('/checks.js').then(({ check }) => check('${url}', '${protocol}'))`))
        assert.equal(endpoint.stats.accepted, 2)
        const stranger = await listen(new Authority('stranger').issue('server'))
        const refused = `import('dmicro/browser').then(({ Endpoint }) => new Endpoint().dial('${stranger.url}')).catch(({ code }) => code)`
        assert.equal(await page.value(refused), 105)
        assert.equal(endpoint.stats.accepted, 2)
      })
    }

    test('so does a dedicated worker', async (t) => {
      const { origin, url } = await servePages(t, await bundled(t, 'worker.js'))
      const page = await chromium.page(`${origin}/`)
      const seen = await page.value<Record<string, unknown>>(`new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' })
        worker.onerror = ({ message }) => reject(new Error(message))
        worker.onmessage = ({ data }) => resolve(data)
        worker.postMessage(['${url}', 'raw'])
      })`)
      assertSeen(seen)
    })

    test('a page has hooks of dialling; hooks of messages and transfer filters are refused by name', async (t) => {
      const { origin, url, endpoint } = await servePages(t)
      endpoint.routePush('/filtered', (_, { session }) => session.push('/page/x', 1, { filters: ['gzip'] }))
      const page = await chromium.page(`${origin}/`)
      const seen = await page.value(`(async () => {
        const { Endpoint } = await import('dmicro/browser')
        const refused = (run) => Promise.resolve().then(run).then(() => 'done', (error) => error.name + ': ' + (error.cause ?? error.message))
        const filter = { id: 9, name: 'mine', pack: (bytes) => bytes, unpack: (bytes) => bytes }
        const hooks = []
        const plugin = { name: 'own' }
        for (const name of ['afterNewEndpoint', 'beforeDial', 'afterDial', 'afterDisconnect', 'afterCloseEndpoint'])
          plugin[name] = () => void hooks.push(name)
        const client = new Endpoint({ plugins: [plugin] })
        const session = await client.dial('${url}')
        const refusals = []
        for (const hook of ['beforeWriteCall', 'afterReadCallBody', 'afterReadReplyBody'])
          refusals.push(await refused(() => new Endpoint({ plugins: [{ name: 'own', [hook]() {} }] })))
        refusals.push(
          await refused(() => client.group('/a', { name: 'own', afterReadPushBody() {} })),
          await refused(() => new Endpoint({ filters: [filter] })),
          await refused(() => session.call('/echo', 1, { filters: ['gzip'] })),
          await refused(() => session.push('/tell', 1, { filters: ['mine'] })),
          await session.call('/echo', 'still served'),
        )
        const closed = new Promise((resolve) => session.on('close', ({ cause }) => resolve(cause)))
        await session.push('/filtered')
        refusals.push(await closed)
        await client.close()
        return { hooks, refusals }
      })()`)
      assert.deepEqual(seen, {
        hooks: ['afterNewEndpoint', 'beforeDial', 'afterDial', 'afterDisconnect', 'afterCloseEndpoint'],
        refusals: [
          'StatusError: hook beforeWriteCall is not there in pages',
          'StatusError: hook afterReadCallBody is not there in pages',
          'StatusError: hook afterReadReplyBody is not there in pages',
          'StatusError: hook afterReadPushBody is not there in pages',
          'TypeError: transfer filter "mine" is not there in pages',
          'TypeError: transfer filter "gzip" is not there in pages',
          'TypeError: transfer filter "mine" is not there in pages',
          'still served',
          'unknown transfer filter',
        ],
      })
    })

    test('a connection that is reset in the midst of pushes is resumed, and none is lost', async (t) => {
      const served = await servePages(t)
      const page = await counting(chromium, served)
      await pushTo(page, served, 1, 10)
      for (let number = 11; number <= 20; number++) void served.sessions[0].push('/number', number)
      served.sockets[0].destroy()
      await pushTo(page, served, 21, 30)
      await assertResumed(page, served, 30)
    })

    test('a page that was frozen resumes, and gets what was pushed meanwhile', async (t) => {
      const served = await servePages(t)
      const page = await counting(chromium, served)
      await pushTo(page, served, 1, 10)
      await page.send('Page.setWebLifecycleState', { state: 'frozen' })
      for (let number = 11; number <= 20; number++) await served.sessions[0].push('/number', number)
      await page.send('Page.setWebLifecycleState', { state: 'active' })
      await pushTo(page, served, 21, 30)
      await assertResumed(page, served, 30)
    })

    test('a page that returns from the back/forward cache resumes, and gets what was pushed meanwhile', async (t) => {
      const served = await servePages(t)
      const page = await counting(chromium, served)
      await pushTo(page, served, 1, 10)
      const lost = new Promise((resolve) => served.sessions[0].once('disconnected', resolve))
      await page.go(`${served.origin}/other`)
      await lost
      for (let number = 11; number <= 20; number++) void served.sessions[0].push('/number', number)
      await page.back()
      await pushTo(page, served, 21, 30)
      await assertResumed(page, served, 30)
    })
  },
)
