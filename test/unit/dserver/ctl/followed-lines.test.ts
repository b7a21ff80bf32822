import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FollowedLines } from '../../../../src/dserver/cli/followed-lines.ts'
import type { LogEntry } from '../../../../src/dserver/ctl/log-entry.ts'

const all = { mask: 1008, names: [] }

function entry(pid: number, nth: number | undefined, more: Partial<LogEntry> = {}): LogEntry {
  return { time: Date.now() + 1000, level: 'info', process: 'app', pid, seq: nth ?? -1, nth, text: `${pid}/${nth}`, ...more }
}

const shown = (batch: ReturnType<FollowedLines['take']>): string =>
  batch.map((item) => ('lost' in item ? `-${item.lost}` : item.text)).join(' ')

it('a new server’s lines come from its first one on, and gaps are told where they are', () => {
  const lines = new FollowedLines(all)
  lines.connected(1)
  assert.equal(shown(lines.take([entry(1, 41), entry(1, 42)])), '1/41 1/42', 'what was before is nobody’s loss')
  lines.connected(2)
  assert.equal(shown(lines.missed([entry(2, 3), entry(2, 4), entry(2, 9)])), '-2 2/3 2/4 -4 2/9')
  assert.equal(shown(lines.take([entry(2, 12), entry(2, 13), entry(2, 20)])), '-2 2/12 2/13 2/20', 'told once')
  assert.equal(shown(lines.take([entry(2, 3, { level: 'warn', text: 'w' })])), '-2 w', 'of a level that was not seen yet too')
})

it('of the same server nothing comes twice', () => {
  const lines = new FollowedLines(all)
  lines.connected(1)
  lines.take([entry(1, 5), entry(1, undefined, { seq: -3, text: 'printed' })])
  lines.connected(1)
  const kept = [
    entry(1, 1, { level: 'error', time: 0 }),
    entry(1, 5),
    entry(1, undefined, { seq: -3 }),
    entry(1, undefined, { seq: -4, text: 'p4' }),
    entry(1, 7),
  ]
  assert.equal(shown(lines.missed(kept)), 'p4 -1 1/7')
  assert.equal(shown(lines.take([entry(1, 8)])), '1/8')
})

it('of a process of a service the numbers count from what was kept', () => {
  const lines = new FollowedLines(all)
  lines.connected(1)
  lines.connected(2)
  assert.equal(shown(lines.missed([entry(7, 2)])), '-1 7/2')
  assert.equal(shown(lines.take([entry(8, 3), entry(8, 4)])), '8/3 8/4', 'its first lines came as it has printed them')
})

it('with names nothing is counted, because a missing line may be about somebody else', () => {
  const lines = new FollowedLines({ mask: 1008, names: ['hello'] })
  lines.connected(1)
  lines.connected(2)
  assert.equal(shown(lines.missed([entry(2, 3), entry(2, 9)])), '2/3 2/9')
})
