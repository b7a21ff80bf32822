import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PrintedLines } from '../../../../src/dserver/ctl/printed-lines.ts'

/** Lines that come of these chunks, while `room` lines are wanted. */
function linesOf(chunks: readonly (string | Buffer)[], room = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = []
  const printed = new PrintedLines(
    () => lines.length < room,
    (text) => lines.push(text),
  )
  for (const chunk of chunks) printed.write(Buffer.from(chunk as string))
  return lines
}

test('lines come whole, wherever the output was cut', () => {
  const text = Buffer.from('one\ntwo ü\r\n\n  three\n')
  for (let i = 0; i <= text.length; i++)
    assert.deepEqual(linesOf([text.subarray(0, i), text.subarray(i)]), ['one', 'two ü', '  three'], `cut at ${i}`)
  assert.deepEqual(linesOf([...text].map((byte) => Buffer.of(byte))), ['one', 'two ü', '  three'])
})

test('lines of the logger are left out, because they come by another way, and control characters are escaped', () => {
  assert.deepEqual(linesOf(['dmicro info: ready\ndmicro: x\n\u001b[31mred\n']), ['dmicro: x', '\\u{1b}[31mred'])
})

test('a line without an end takes no memory but its first part', () => {
  const lines = linesOf(Array.from({ length: 100 }, () => 'x'.repeat(1000)))
  assert.equal(lines.length, 24)
  assert.ok(lines.every((line) => line.startsWith('xxxx')))
})

test('what nobody wants is left out to the end of its line', () => {
  const lines: string[] = []
  let wanted = true
  const printed = new PrintedLines(
    () => wanted,
    (text) => lines.push(text),
  )
  const write = (text: string): void => printed.write(Buffer.from(text))
  write('one\nhal')
  wanted = false
  write('f\nlost\nbeg')
  wanted = true
  write('un\ntwo\n')
  assert.deepEqual(lines, ['one', 'two'])
  assert.deepEqual(linesOf(['a\nb\nc\nd\n', 'e\n'], 2), ['a', 'b'])
})

test('a line is kept whole up to 4,096 bytes, and one of the logger leaves no tail', () => {
  const long = 'y'.repeat(4096)
  assert.deepEqual(linesOf([`${long}\nnext\n`]), [long, 'next'])
  assert.deepEqual(linesOf([`${'ü'.repeat(2048)}ü\n`]), ['ü'.repeat(2048), 'ü'])
  assert.deepEqual(linesOf([`z${'ü'.repeat(2048)}\n`]), [`z${'ü'.repeat(2047)}`, 'ü'])
  for (const tail of [10, 5000, 20_000])
    assert.deepEqual(linesOf([`dmicro error: ${'e'.repeat(4090 + tail)}\nnext\n`]), ['next'], `${tail} bytes more`)
})

test('what nobody wants is left out to the end of its line, however long it is', () => {
  const lines: string[] = []
  let wanted = false
  const printed = new PrintedLines(
    () => wanted,
    (text) => lines.push(text),
  )
  printed.write(Buffer.from('beg'))
  wanted = true
  printed.write(Buffer.from(`${'x'.repeat(10_000)}\nnext\n`))
  assert.deepEqual(lines, ['next'])
})
