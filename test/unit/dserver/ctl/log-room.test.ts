import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../../src/base/log.ts'
import { type Clock, realClock } from '../../../../src/base/time/clock.ts'
import { MAX_KEPT } from '../../../../src/dserver/ctl/kept-lines.ts'
import { LogHub } from '../../../../src/dserver/ctl/log-hub.ts'

const all = { mask: 1008, names: [] }

/** A hub whose time stands still until it is moved. */
function hubAt(): { hub: LogHub; texts: () => string[]; move: (ms: number) => void } {
  let now = 0
  const clock: Clock = { ...realClock, now: () => now, date: () => now }
  const hub = new LogHub('app', silentLogger, 'info', clock)
  const texts = (): string[] => hub.recent(all, 10 * MAX_KEPT).map(({ text }) => text)
  return { hub, texts, move: (ms) => (now += ms) }
}

test('what a process prints takes no room of the log itself', () => {
  const { hub, texts } = hubAt()
  for (let i = 0; i < 60; i++) hub.printed('a', 1, 'info', `printed ${i}`)
  hub.warn('a process ended')
  assert.equal(texts().length, 51)
  assert.ok(texts().includes('a process ended'))
})

test('an access log drives out neither the log itself, nor other processes, nor what the process says on stderr', () => {
  const { hub, texts, move } = hubAt()
  hub.warn('a process ended')
  hub.printed('b', 2, 'info', 'of another')
  hub.printed('a', 1, 'warn', 'last words')
  for (let second = 0; second < 30; second++) {
    move(1000)
    for (let i = 0; i < 60; i++) hub.printed('a', 1, 'info', `access ${second}.${i}`)
    assert.equal(hub.wantsPrinted('a', 'info'), false)
    assert.ok(hub.wantsPrinted('a', 'warn') && hub.wantsPrinted('b', 'info'))
  }
  assert.deepEqual(texts().slice(0, 3), ['a process ended', 'of another', 'last words'])
  assert.ok(texts().filter((text) => text.startsWith('access')).length < 2 * MAX_KEPT)
  assert.equal(texts().at(-1), 'access 29.49')
})

test('lines of the log and of processes come in the order of time, the last ones when there are more', () => {
  const { hub, move } = hubAt()
  const steps = [
    () => hub.info('one'),
    () => hub.printed('b', 2, 'info', 'two'),
    () => hub.warn('three'),
    () => hub.printed('a', 1, 'warn', 'four'),
  ]
  for (const step of steps) {
    move(1)
    step()
  }
  const recent = (lines: number): string[] => hub.recent(all, lines).map(({ text }) => text)
  assert.deepEqual(
    [recent(10), recent(2)],
    [
      ['one', 'two', 'three', 'four'],
      ['three', 'four'],
    ],
  )
})
