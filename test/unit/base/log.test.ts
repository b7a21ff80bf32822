import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { consoleLogger, type LogLevel, silentLogger } from '../../../src/base/log.ts'

function recorder(level?: LogLevel) {
  const lines: string[] = []
  const time = { now: 0 }
  const logger = consoleLogger(
    level,
    (line) => lines.push(line),
    () => time.now,
    { setTimeout: (run, ms) => setTimeout(run, ms), clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
  )
  return { logger, lines, time }
}

test('by default warnings and errors are written, one line each', () => {
  const { logger, lines } = recorder()
  logger.debug('d')
  logger.info('i')
  logger.warn('w')
  logger.error('e', { code: 5 })
  assert.deepEqual(lines, ['dmicro warn: w', 'dmicro error: e code=5'])
})

test('the level decides what is written', () => {
  const { logger, lines } = recorder('debug')
  logger.debug('d')
  logger.info('i')
  assert.deepEqual(lines, ['dmicro debug: d', 'dmicro info: i'])
  const quiet = recorder('error')
  quiet.logger.warn('w')
  quiet.logger.error('e')
  assert.deepEqual(quiet.lines, ['dmicro error: e'])
  assert.throws(() => consoleLogger('loud' as LogLevel), TypeError)
})

test('lines go to stderr', () => {
  const error = mock.method(console, 'error', () => {})
  consoleLogger().warn('%s %d')
  assert.deepEqual(error.mock.calls[0].arguments, ['dmicro warn: %s %d'])
  error.mock.restore()
})

test('fields are quoted, numbers are not', () => {
  const { logger, lines } = recorder()
  logger.warn('closed', { peer: '1.2.3.4:5', n: 5, big: 7n, ok: true, error: new Error('no "x"'), none: undefined })
  assert.deepEqual(lines, ['dmicro warn: closed peer="1.2.3.4:5" n=5 big=7 ok=true error="no \\"x\\"" none="undefined"'])
})

test('no control character of any kind reaches the terminal', () => {
  const { logger, lines } = recorder()
  let every = ''
  for (let c = 0; c < 0x100; c++) every += String.fromCharCode(c)
  const hostile = [every.slice(0, 128), every.slice(128), '\x1b[2J\r\n\u2028\u2029\u202e\u2066\u200f\ufeff\ud800\u{e0001}']
  for (const text of hostile) logger.warn(text, { [text]: text })
  assert.equal(lines.length, 3)
  for (const line of lines) assert.doesNotMatch(line, /[\p{C}\p{Zl}\p{Zp}]/u)
  assert.match(lines[2], /warn: \\u\{1b\}\[2J\\u\{d\}\\u\{a\}\\u\{2028\}/)
})

test('ordinary text of any language is left alone', () => {
  const { logger, lines } = recorder()
  logger.warn('é 中文 😀', { k: 'é 中文 😀' })
  assert.deepEqual(lines, ['dmicro warn: é 中文 😀 k="é 中文 😀"'])
})

test('long text is cut', () => {
  const { logger, lines } = recorder()
  logger.warn('t'.repeat(100_000), { k: 'v'.repeat(100_000) })
  assert.ok(lines[0].length < 1500)
  assert.match(lines[0], /t\.\.\. k="v+\.\.\."$/)
})

test('hostile fields and a failing sink do not throw', () => {
  const { logger, lines } = recorder()
  const boom = (): never => {
    throw new Error('trap')
  }
  logger.warn('x', { a: { toString: boom }, b: Object.create(null), c: Symbol('s') })
  logger.warn('x', Object.defineProperty({}, 'a', { enumerable: true, get: boom }))
  assert.deepEqual(lines, ['dmicro warn: x a="" b="" c="Symbol(s)"', 'dmicro warn: x a=?'])
  consoleLogger('warn', boom).error('x')
})

test('ten lines a second, then one that counts the rest', () => {
  const { logger, lines, time } = recorder()
  for (let i = 0; i < 1000; i++) {
    time.now = i / 2
    logger.warn(`${i}`)
  }
  assert.equal(lines.length, 10)
  assert.equal(lines[9], 'dmicro warn: 9')
  time.now = 1000
  logger.warn('later')
  assert.deepEqual(lines.slice(10), ['dmicro warn: 990 log lines suppressed', 'dmicro warn: later'])
  time.now = 5000
  logger.warn('quiet again')
  assert.deepEqual(lines.slice(12), ['dmicro warn: quiet again'])
})

test('a flood of an hour writes eleven lines a second', () => {
  const { logger, lines, time } = recorder()
  for (let i = 0; i < 3600 * 50; i++) {
    time.now = i * 20
    logger.warn('x')
  }
  assert.equal(lines.length, 3600 * 11 - 1)
})

test('the count appears even when nothing is logged any more', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { logger, lines, time } = recorder()
  for (let i = 0; i < 11; i++) logger.warn('x')
  assert.equal(lines.length, 10)
  time.now = 1000
  mock.timers.tick(1000)
  assert.deepEqual(lines.slice(10), ['dmicro warn: 1 log line suppressed'])
  mock.timers.tick(10_000)
  assert.equal(lines.length, 11)
  mock.timers.reset()
})

test('levels share one allowance', () => {
  const { logger, lines } = recorder('debug')
  for (let i = 0; i < 10; i++) logger.debug('x')
  logger.error('lost')
  assert.equal(lines.length, 10)
})

test('the silent logger says nothing', () => {
  const error = mock.method(console, 'error', () => {})
  for (const level of ['debug', 'info', 'warn', 'error'] as const) silentLogger[level]('x', { y: 1 })
  assert.equal(error.mock.callCount(), 0)
  error.mock.restore()
})
