import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger, LogLevel } from '../../../../src/base/log.ts'
import { MAX_KEPT } from '../../../../src/dserver/ctl/kept-lines.ts'
import { entryText, type LogEntry, maskOf, matches, readFilter } from '../../../../src/dserver/ctl/log-entry.ts'
import { LogHub, sandboxLogger } from '../../../../src/dserver/ctl/log-hub.ts'
import { type LogBatch, LogStream } from '../../../../src/dserver/ctl/log-stream.ts'

const all = { mask: 1008, names: [] }

function recorder(): { log: Logger; lines: string[] } {
  const lines: string[] = []
  const at = (level: LogLevel) => (text: string) => void lines.push(`${level} ${text}`)
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines }
}

function entry(seq: number, text = 'x', more: Partial<LogEntry> = {}): LogEntry {
  return { time: 0, level: 'info', process: 'app', pid: 1, seq, text, ...more }
}

test('names of levels are Go’s, and a filter is one of levels and names', () => {
  const masks = ['all', 'DEBUG', 'info', 'Notice', 'WARN', 'product', 'error', 'CRIT', 'constructor'].map(maskOf)
  assert.deepEqual(masks, [1008, 1008, 992, 960, 896, 896, 768, 512, undefined])
  const line = entry(1, 'x', { level: 'warn', process: 'web:1', sandbox: 'Page' })
  const match = (level: string, ...names: string[]): boolean => matches({ mask: maskOf(level) as number, names }, line)
  assert.deepEqual(
    [match('warn'), match('error'), match('all', 'web'), match('all', 'web:2'), match('all', 'we')],
    [true, false, true, false, false],
  )
  assert.deepEqual([match('info', 'page'), match('info', 'other', 'WEB:1'), match('error', 'page')], [true, true, false])
  for (const bad of [{ mask: 1.5 }, { mask: '16' }, { names: 'x' }, { names: [1] }, { names: Array(101).fill('x') }])
    assert.throws(() => readFilter(bad), TypeError)
  assert.deepEqual([readFilter(undefined), readFilter(7)], [all, all])
})

test('a line for people is as Go writes it', () => {
  assert.equal(entryText(entry(1, 'text', { level: 'error', time: 1 })), '1970-01-01T00:00:00.001Z [ERRO] app: text')
})

test('the hub writes from its level on, whatever its followers want', () => {
  const { log, lines } = recorder()
  const hub = new LogHub('app', log, 'info')
  const masks: number[] = []
  hub.onMask = (mask) => masks.push(mask)
  const followed: string[] = []
  const end = hub.follow({ mask: 16, names: [] }, ({ text }) => followed.push(text))
  const endOther = hub.follow({ mask: 768, names: [] }, () => {})
  hub.debug('one')
  hub.info('two', { n: 1 })
  end()
  hub.setDebug(true)
  hub.debug('three')
  hub.setDebug(false)
  hub.debug('four')
  endOther()
  assert.deepEqual([lines, followed, masks], [['info two', 'debug three'], ['one'], [16, 784, 768, 0]])
  assert.deepEqual(
    hub.recent(all, 10).map(({ text }) => text),
    ['two n=1'],
  )
})

test('the hub keeps the last lines, and few of a storm', () => {
  const hub = new LogHub('app', recorder().log, 'info')
  for (let i = 0; i < 3 * MAX_KEPT; i++) hub.info(`${i}`)
  // The storm may fall into two seconds.
  const kept = hub.recent(all, MAX_KEPT)
  assert.ok(kept.length <= 100 && kept[0].text === '0', `${kept.length}`)
  assert.deepEqual([hub.recent(all, 0), hub.recent(all, -1), hub.recent(all, 1).length], [[], [], 1])
})

test('fields that throw, and a sandbox that is no text, harm nobody', () => {
  const { log, lines } = recorder()
  const hub = new LogHub('app', log, 'info')
  const followed: LogEntry[] = []
  hub.follow(all, (each) => followed.push(each))
  const bad = {
    get sandbox(): string {
      throw new Error('no')
    },
  }
  hub.warn('one', bad)
  sandboxLogger(hub, 'page').warn('two', bad)
  sandboxLogger(hub, 'page').warn('three', { a: 'b' })
  hub.info('four', { sandbox: 4 })
  assert.deepEqual(lines, ['warn one', 'warn two', 'warn three', 'info four'])
  assert.deepEqual(
    followed.map(({ sandbox, text }) => [sandbox, text]),
    [
      ['page', 'three sandbox="page" a="b"'],
      [undefined, 'four sandbox=4'],
    ],
  )
})

/** A stream whose reader takes a batch each time `next` is called. */
function slowStream(): { stream: LogStream; batches: LogBatch[]; next(): Promise<void>; fail(): Promise<void>; ends: () => number } {
  const batches: LogBatch[] = []
  let ends = 0
  let settle = { resolve: (): void => {}, reject: (_: Error): void => {} }
  const send = (batch: LogBatch): Promise<void> => {
    batches.push(batch)
    return new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
  }
  const stream = new LogStream(send, () => ends++)
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const next = async (): Promise<void> => {
    settle.resolve()
    await turn()
  }
  const fail = async (): Promise<void> => {
    settle.reject(new Error('gone'))
    await turn()
  }
  return { stream, batches, next, fail, ends: () => ends }
}

test('a stream sends the lines of a turn together, one batch at a time, and none that the reader has', async () => {
  const { stream, batches, next } = slowStream()
  for (let i = 1; i <= 3; i++) stream.add(entry(i))
  await next()
  assert.deepEqual(batches, [])
  stream.start([entry(1), entry(2, 'x', { pid: 2 })])
  await next()
  assert.deepEqual(batches, [[entry(2), entry(3)]])
  for (let i = 4; i <= 300; i++) stream.add(entry(i))
  assert.equal(batches.length, 1)
  await next()
  await next()
  assert.deepEqual(
    batches.slice(1).map(({ length }) => length),
    [200, 97],
  )
})

test('beyond 2000 lines or 1 MiB a stream loses lines, and says how many in their place', async () => {
  for (const [text, room] of [
    ['x', 2000],
    ['x'.repeat(10_000 - 100), 105],
  ] as const) {
    const { stream, batches, next } = slowStream()
    stream.start()
    for (let i = 1; i <= room + 10; i++) stream.add(entry(i, text))
    await next()
    stream.add(entry(room + 11, text))
    while (batches.flat().length < room + 2) await next()
    const seen = batches.flat()
    assert.deepEqual([seen.length, seen[room], seen[room + 1]], [room + 2, { lost: 10 }, entry(room + 11, text)])
  }
})

test('a stream ends once, when its reader fails or it is told to, and takes nothing more', async () => {
  const failing = slowStream()
  failing.stream.start()
  failing.stream.add(entry(1))
  await failing.next()
  await failing.fail()
  failing.stream.add(entry(2))
  await failing.next()
  failing.stream.end()
  assert.deepEqual([failing.batches.length, failing.ends()], [1, 1])
})
