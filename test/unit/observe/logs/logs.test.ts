import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import type { Logger } from '../../../../src/index.ts'
import { jsonLogger, pinoLogger, sampledLogger } from '../../../../src/observe/logs/index.ts'
import { recorder } from '../../../support/helpers.ts'

const evil = { method: '/a\n"b"\u2028', password: 'p', nested: { apiKey: 'k', plain: 1 }, big: 10n, none: undefined, nan: Number.NaN }

function lines(make: (write: (line: string) => void) => Logger): { log: Logger; all: () => Record<string, unknown>[] } {
  const written: string[] = []
  const log = make((line) => written.push(line))
  return {
    log,
    all: () => {
      for (const line of written) assert.doesNotMatch(line.trimEnd(), /\n/)
      return written.map((line) => JSON.parse(line))
    },
  }
}

for (const [name, make] of [
  ['jsonLogger', (write: (line: string) => void) => jsonLogger({ write })],
  ['pinoLogger', (write: (line: string) => void) => pinoLogger(pino({ base: null }, { write }))],
] as const) {
  test(`${name} writes one JSON object a line, and no secret`, () => {
    const { log, all } = lines(make)
    log.debug('not written')
    log.warn('careful', evil)
    log.info('plain')
    const [line, plain] = all()
    assert.equal(all().length, 2)
    assert.equal(line.msg, 'careful')
    assert.equal(plain.msg, 'plain')
    assert.equal(line.method, evil.method)
    assert.equal(line.password, '***')
    assert.equal(line.nested, '{"apiKey":"***","plain":1}')
    assert.equal(line.big, '10')
    assert.equal(line.nan, 'NaN')
  })
}

test('an error is shown by its text, a date without quotes, and a secret nowhere', () => {
  const { log, all } = lines((write) => jsonLogger({ write }))
  log.error('failed', {
    error: new Error('boom', { cause: new Error('below') }),
    at: new Date(0),
    bad: new Date(Number.NaN),
    url: 'see ws://user:s3cret@host/path?token=s3cret&page=2, and http://s3cret@host',
    nested: { link: new URL('http://user:s3cret@host/?api_key=s3cret'), error: new TypeError('inner'), big: 5n },
    pairs: [
      ['authorization', 'Bearer s3cret'],
      ['accept', 'text'],
    ],
    list: ['Cookie', 's3cret', 'Host', 'a'],
    plain: 'a?b=c&d=e@f',
  })
  const [line] = all()
  assert.doesNotMatch(JSON.stringify(line), /s3cret/)
  assert.match(String(line.error), /^Error: boom\n {2}cause: Error: below/)
  assert.equal(line.at, '1970-01-01T00:00:00.000Z')
  assert.equal(line.bad, 'null')
  assert.equal(line.url, 'see ws://***@host/path?token=***&page=2, and http://***@host')
  assert.equal(line.nested, '{"link":"http://***@host/?api_key=***","error":"inner","big":"5"}')
  assert.equal(line.pairs, '[["authorization","***"],["accept","text"]]')
  assert.equal(line.list, '["Cookie","***","Host","a"]')
  assert.equal(line.plain, 'a?b=c&d=e@f')
})

test('a field replaces nothing that the logger says itself, and what cannot be read breaks no line', () => {
  const { log, all } = lines((write) => jsonLogger({ write, level: 'debug' }))
  const hostile = {
    get trap(): string {
      throw new Error('no')
    },
  }
  log.error('text', { level: 'x', msg: 'y', time: 'z', error: 'e'.repeat(10_000), ...Object.create(null) })
  log.debug('text', hostile)
  const [first, second] = all()
  assert.equal(first.level, 'error')
  assert.equal(first.msg, 'text')
  assert.ok(String(first.error).length < 5_000)
  assert.equal(second.trap, '?')
  assert.doesNotThrow(() => jsonLogger({ write: () => assert.fail('closed pipe') }).error('x'))
})

test('each line has its own time, also when the clock is set back', (t) => {
  const { log, all } = lines((write) => jsonLogger({ write }))
  t.mock.timers.enable({ apis: ['Date'] })
  const times = [0, 1, 999, 1000, 1_700_000_000_007, 1_700_000_000_070, 1_699_999_999_999, 59_000]
  for (const time of times) {
    t.mock.timers.setTime(time)
    log.info('now')
  }
  assert.deepEqual(
    all().map(({ time }) => time),
    times.map((time) => new Date(time).toISOString()),
  )
})

test('what repeats is sampled by level and text, and the lines left out are counted', () => {
  let time = 0
  const log = recorder()
  const sampled = sampledLogger(log, { first: 2, every: 10, interval: 1000 }, () => time)
  for (let i = 0; i < 25; i++) sampled.warn('same', { i })
  sampled.warn('other')
  assert.deepEqual(
    log.lines.map(({ text, fields }) => [text, fields.i, fields.suppressed]),
    [
      ['same', 0, undefined],
      ['same', 1, undefined],
      ['same', 11, 9],
      ['same', 21, 9],
      ['other', undefined, undefined],
    ],
  )
  time = 1000
  sampled.warn('same', { i: 25 })
  assert.equal(log.lines.at(-1)?.fields.suppressed, 3)
})

test('texts without end take no more memory than a few', () => {
  let count = 0
  const count1 = (): void => void count++
  const sampled = sampledLogger({ debug: count1, info: count1, warn: count1, error: count1 }, { first: 1 })
  for (let i = 0; i < 10_000; i++) sampled.info(`text ${i}`)
  assert.equal(count, 10_000)
})

test('bad options are refused by name', () => {
  assert.throws(() => jsonLogger({ level: 'loud' as never }), /option level/)
  assert.throws(() => pinoLogger({} as never), /must have the method debug/)
  assert.throws(() => sampledLogger(recorder(), { first: -1 }), /option first/)
})
