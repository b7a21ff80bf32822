import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { bars, chart } from '../../../../src/observe/console/chart.ts'
import { console as pages } from '../../../../src/observe/console/console.ts'
import { escapeHtml, formValue, html, num, table, time } from '../../../../src/observe/console/html.ts'
import { LogTap } from '../../../../src/observe/console/log-tap.ts'
import { logs } from '../../../../src/observe/console/pages/logs.ts'
import { percentile } from '../../../../src/observe/console/percentile.ts'
import { argumentOf, fieldsOf } from '../../../../src/observe/console/schema-form.ts'
import type { ConsoleView } from '../../../../src/observe/console/view.ts'

const hostile = `<script>alert("1")</script>' onload=x & \u202egnp\u0000\ud800`
const harmless = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onload=x &amp; \\u{202e}gnp\\u{0}\\u{d800}'

test('what peers choose is escaped in texts, attributes, tables and charts', () => {
  assert.equal(escapeHtml(hostile), harmless)
  assert.equal(html`<a title="${hostile}">${[hostile, false, undefined, 1]}</a>`.text, `<a title="${harmless}">${harmless}1</a>`)
  assert.ok(
    table(['a', hostile], [[hostile, html`<b>${hostile}</b>`]], '').text.includes(`<td>${harmless}</td><td><b>${harmless}</b></td>`),
  )
  const drawn =
    chart(hostile, [{ name: hostile, tone: 'a', values: [1] }], () => hostile).text + bars([{ label: hostile, count: 1 }], String).text
  assert.doesNotMatch(drawn, /<script|"1"|\u202e/)
})

test('what a form sends back is not made printable, by which it would be another text', () => {
  const family = '\u{1f468}\u200d\u{1f469}\u00ad "<&>\' \r'
  const exact = '\u{1f468}\u200d\u{1f469}\u00ad &quot;&lt;&amp;&gt;&#39; &#13;'
  assert.equal(html`<input value="${formValue(family)}">`.text, `<input value="${exact}">`)
  const standard = { jsonSchema: { input: () => ({ type: 'object', properties: { [family]: { type: 'string', default: family } } }) } }
  const fields = fieldsOf({ '~standard': { version: 1, vendor: 'own', validate: () => ({ value: 1 }), ...standard } })
  assert.ok(fields?.text.includes(`<input name="f.${exact}" value="${exact}"`))
})

test('lines of a log are shown escaped, without secrets, and none of them grows', () => {
  const tap = new LogTap()
  const log = tap.tap(false)
  assert.equal(tap.tap(log), log)
  log.info('nobody looks')
  log.error(hostile, { [hostile]: hostile, password: 'hunter2', error: 'x'.repeat(100_000) })
  for (let i = 0; i < 500; i++) log.warn(`line ${i}`)
  log.error(hostile, { [hostile]: hostile, password: 'hunter2', error: 'x'.repeat(100_000) })
  const lines = tap.lines()
  assert.deepEqual([lines.length, lines[0].level, lines[1].text, lines[199].text], [200, 'error', 'line 499', 'line 301'])
  const text = logs.sections({ state: { logs: tap } } as unknown as ConsoleView, new URLSearchParams())[1].body.text
  assert.doesNotMatch(text, /<script|hunter2|nobody looks/)
  assert.ok(text.includes(harmless) && text.length < 60_000)
})

test('a chart has gaps where nothing was measured, and no value leaves it', () => {
  const d = (values: number[], floor = 0): string[] =>
    [...chart('t', [{ name: 'n', tone: 'a', values }], num, floor).text.matchAll(/line a" d="([^"]*)"/g)].map(([, path]) => path)
  assert.deepEqual(d([0, 10, Number.NaN, 5]), ['M594.0 119.0L596.0 1.0M600.0 60.0h.1'])
  assert.deepEqual(d([]), [''])
  assert.deepEqual(d([0.01, 0.1, 1], 0.1), ['M596.0 119.0L598.0 119.0L600.0 1.0'])
})

test('percentiles lie within the bucket that has them', () => {
  assert.ok(Number.isNaN(percentile([0, 0, 0], [1, 2], 0.5)))
  assert.equal(percentile([10, 0, 0], [1, 2], 0.5), 0.5)
  assert.equal(percentile([5, 5, 0], [1, 3], 0.75), 2)
  assert.equal(percentile([0, 0, 4], [1, 3], 0.5), 3)
})

test('numbers and durations are short', () => {
  assert.deepEqual([0, 0.123, 12.34, 1234, 12_345_678, Number.NaN].map(num), ['0', '0.12', '12.3', '1,234', '12.3 M', '–'])
  assert.deepEqual([0.1234, 12.6, 1500, 180_000, 8e6, 2e8].map(time), ['0.12 ms', '13 ms', '1.50 s', '3 min', '2.22 h', '2.31 d'])
})

test('a schema becomes fields, and the fields an argument', () => {
  const order = z.object({
    item: z.string(),
    count: z.int().default(1),
    size: z.enum(['<s>', 'l']).optional(),
    gift: z.boolean(),
    tags: z.array(z.string()).optional(),
  })
  const fields = fieldsOf(order)?.text ?? ''
  assert.match(fields, /<input name="f.item"[^>]*>.*<input type="number" step="1" name="f.count" value="1"/)
  assert.match(fields, /<option value="&quot;&lt;s&gt;&quot;">&lt;s&gt;<\/option>/)
  const form = new URLSearchParams({ 'f.item': '7', 'f.count': '2', 'f.size': '"l"', 'f.gift': 'true', 'f.tags': '' })
  assert.deepEqual(argumentOf(order, form), { item: '7', count: 2, size: 'l', gift: true })
  form.set('f.tags', '{')
  assert.throws(() => argumentOf(order, form), /tags is no JSON/)
  for (const arg of [undefined, z.string(), z.map(z.string(), z.string()), z.object({})]) assert.equal(fieldsOf(arg), undefined)
  assert.deepEqual(argumentOf(undefined, new URLSearchParams({ arg: '[1]' })), [1])
  assert.equal(argumentOf(undefined, new URLSearchParams({ arg: ' ' })), undefined)
})

test('bad options are refused, and an address that others reach without a token', () => {
  for (const listen of ['http://0.0.0.0:0', 'http://[::]:1', 'http://example.com:1', 'http://127.evil.example:1'])
    assert.throws(() => pages({ listen }), /requires the option token/)
  for (const listen of ['https://127.0.0.1:1', 'http://127.0.0.1:1/path', 'http://127.0.0.1:1/metrics', 'x'])
    assert.throws(() => pages({ listen }), /option listen/)
  assert.throws(() => pages({ token: 'short' }), /option token/)
  assert.throws(() => pages({ slow: -1 }), /option slow/)
  assert.throws(() => pages({ clients: [{}] as never }), TypeError)
  assert.throws(() => pages({ other: 1 } as never), /unknown option "other"/)
  pages({ listen: 'http://0.0.0.0:0', token: 'a-token-long-enough' })
})
