import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { z } from 'zod'
import { StatusError } from '../../src/index.ts'
import { console as consolePages } from '../../src/observe/metrics/index.ts'
import { Chromium } from '../outside/browser/chromium.ts'
import { once, pair, transports } from '../support/helpers.ts'

const hasChromium = (() => {
  try {
    execFileSync('chromium', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** DMICRO_TEST_PICTURES=folder keeps pictures of all pages, to be looked at. */
const folder = process.env.DMICRO_TEST_PICTURES
const looks = [
  ['light', 1280, false],
  ['dark', 1280, true],
  ['narrow', 390, false],
] as const

it('the console in Chromium: pages that complain of nothing, fit, stay live, call and close', {
  skip: !hasChromium && 'no chromium here',
  timeout: 60_000,
}, async (t) => {
  const pages = consolePages()
  const { server, session, peer } = await pair(t, transports[0], { server: { plugins: [pages] } })
  server.routeCall('/order', (order) => ({ ordered: order }), { arg: z.object({ item: z.string(), count: z.int() }) })
  server.routeCall(`/<img src=x onerror=document.title='bad'>`, () => {
    throw new StatusError(1234, 'failed')
  })
  for (let i = 0; i < 20; i++) await session.call(`/<img src=x onerror=document.title='bad'>`).catch(() => {})
  server.log.error(`<img src=x onerror=document.title='bad'>`, { 'a-long-word': 'x'.repeat(300) })
  const browser = await Chromium.start()
  t.after(() => browser.close())
  const page = await browser.page('about:blank')
  const complaints = await page.complaints()

  for (const path of ['/', '/sessions', '/routes', '/route?name=%2Forder', '/calls', '/services', '/limits', '/logs']) {
    await page.go(`${pages.url}${path}`)
    for (const [name, width, isDark] of looks) {
      const picture = await page.picture(width, isDark)
      const spill = await page.value<number>('document.documentElement.scrollWidth - innerWidth')
      assert.ok(spill <= 0, `${path} is ${spill} px wider than ${width}`)
      if (folder === undefined) continue
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `${path.replace(/\W+/g, '-')}-${name}.png`), picture)
    }
    assert.doesNotMatch(await page.value<string>('document.title'), /bad/)
  }

  await page.go(`${pages.url}/logs`)
  await page.until(`document.getElementById('status').textContent === 'live'`)
  server.log.info('a line that comes while the page is open')
  await page.until(`document.body.textContent.includes('a line that comes while the page is open')`)

  await page.go(`${pages.url}/route?name=%2Forder`)
  const result = page.loaded()
  await page.value(`document.querySelector('[name="f.item"]').value = '<tea>'; document.querySelector('[name="f.count"]').value = 2;
    document.querySelector('.try').requestSubmit()`)
  await result
  assert.match(await page.value<string>(`document.querySelector('pre').textContent`), /"item": "<tea>",\s+"count": 2/)

  const closed = once()
  session.once('close', () => closed.resolve())
  await page.go(`${pages.url}/sessions`)
  await page.value(`document.querySelector('[aria-label="Close the session with ${peer.remoteAddress}"]').click()`)
  await closed.promise
  assert.deepEqual(complaints, [])
})
