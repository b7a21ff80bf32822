import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { type Started, start } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'
import { Chromium, type Page } from './chromium.ts'

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

await suite(
  'dmicro/browser in Chromium',
  () => {
    needCommands({ chromium: 'chromium' })
    return Chromium.start()
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
  },
)
