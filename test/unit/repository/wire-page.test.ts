import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const read = (page: string): string => readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')

test('the frame that docs/wire.md takes apart, and the one that its client sends, are the first vector of the specification', () => {
  const vector = /^\| `RAW-1` \|.*\| `(\w+)` \|$/m.exec(read('spec/wire.md'))![1]
  const page = read('wire.md')
  const [, block] = /^```text\n([\s\S]*?)^```$/m.exec(page)!
  const bytes = [...block.matchAll(/^((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/gm)].map(([, hex]) => hex.replaceAll(' ', ''))
  assert.equal(bytes.join(''), vector)
  assert.equal([...page.matchAll(/'([0-9a-f]{40,})'/g)].map(([, hex]) => hex).join(''), vector)
})
