import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from '../../../src/base/text/table.ts'
import { colors, columns, jsonOf, print, printData } from '../../../src/dmctl/output.ts'

const BOLD = '\x1b[1m'

/** What `write` writes to stdout, where that is a terminal or not. */
function written(isTTY: boolean, write: () => void): string {
  const { stdout } = process
  const before = { write: stdout.write, isTTY: stdout.isTTY }
  let text = ''
  const take = (part: string): boolean => {
    text += part
    return true
  }
  Object.assign(stdout, { isTTY, write: take })
  try {
    write()
  } finally {
    Object.assign(stdout, before)
  }
  return text
}

test('text for people has no sequence that steers a terminal, and keeps its lines and tabs', () => {
  for (const isTTY of [true, false])
    assert.equal(
      written(isTTY, () => print(`a${BOLD}\n\tb`, colors.bold(`c${BOLD}\n`))),
      'a\\u{1b}[1m\n\tbc\\u{1b}[1m\\u{a}\n',
    )
})

test('a text that is the result is exact in a pipe, and harmless in a terminal', () => {
  assert.equal(
    written(false, () => printData(`a${BOLD}\r\n`)),
    `a${BOLD}\r\n\n`,
  )
  assert.equal(
    written(true, () => printData(`a${BOLD}\r\n`)),
    'a\\u{1b}[1m\\u{d}\n\n',
  )
})

test('columns and tables keep their cells in their lines, and their widths', () => {
  assert.equal(columns([['a\nb', BOLD], ['c', 'd']]), '  a\\u{a}b  \\u{1b}[1m\n  c        d') // biome-ignore format: one line
  assert.equal(table([['NAME', 'VERSION'], ['math', '1\nfake'], [BOLD, 2]]), 'NAME       VERSION\nmath       1\\u{a}fake\n\\u{1b}[1m  2') // biome-ignore format: one line
})

test('JSON says the same, without what steers a terminal', () => {
  const value = { text: '\x1b\x7f\x9b\u202e\u2066 naïve \u{1f469}\u200d\u{1f33e}' }
  assert.equal(jsonOf(value), '{"text":"\\u001b\\u007f\\u009b\\u202e\\u2066 naïve \u{1f469}\u200d\u{1f33e}"}')
  assert.deepEqual(JSON.parse(jsonOf(value, 2)), value)
})
