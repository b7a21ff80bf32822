import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { it } from 'node:test'
import { Chromium } from '../outside/browser/chromium.ts'
import { buyByTools, buyInNode, buyInPage, startShop } from '../support/shop.ts'

const hasChromium = (() => {
  try {
    execFileSync('chromium', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

it('one contract serves a program, a page and an agent, who hear of each other’s orders', {
  skip: !hasChromium && 'no chromium here',
  timeout: 60_000,
}, async (t) => {
  const [shop, chromium] = await Promise.all([startShop(t), Chromium.start()])
  t.after(() => chromium.close())
  const page = await buyInPage(chromium, shop)
  const program = await buyInNode(t, shop)
  await buyByTools(t, shop)
  // Two orders of the page: tea and milk.
  await page.until(`document.querySelectorAll('#orders li').length === 4`)
  assert.deepEqual(await page.value(`[...document.querySelectorAll('#orders li')].map((line) => line.textContent)`), [
    'order 1 for 6',
    'order 2 for 2',
    'order 3 for 6',
    'order 4 for 6',
  ])
  assert.equal(await program.stock(), 4)
  assert.deepEqual(program.orders, [3, 4])
})
