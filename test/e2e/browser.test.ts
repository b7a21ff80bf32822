import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { http } from '../../src/index.ts'
import { endpoint, onEachTransport } from '../helpers.ts'

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

onEachTransport('a browser', (transport) => {
  it('calls routes from a page of another origin', { skip: chromium === undefined && 'no chromium here', timeout: 60_000 }, async (t) => {
    const server = endpoint(t, { transport, protocols: [http({ cors: '*' })] })
    server.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
    server.routeCall('/big', () => 'x'.repeat(100_000))
    server.routeCall('/who', (_, ctx) => ctx.meta['x-who'])
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http'] })
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-browser-'))
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    const file = join(folder, 'page.html')
    writeFileSync(file, page(url.replace('tcp:', 'http:')))
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${folder}/profile`,
      '--virtual-time-budget=10000',
      '--dump-dom',
    ]
    const { stdout } = await promisify(execFile)(chromium as string, [...flags, `file://${file}`], { timeout: 50_000 })
    assert.deepEqual(JSON.parse(/<body>(.*)<\/body>/s.exec(stdout)?.[1] ?? 'null'), {
      sums: Array.from({ length: 20 }, (_, i) => i + 1),
      big: 100_000,
      who: 'page',
      none: [404, { code: 404, msg: 'Not Found', cause: '' }],
    })
  })
})
