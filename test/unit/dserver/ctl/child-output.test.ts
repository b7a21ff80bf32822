import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LogLevel, silentLogger } from '../../../../src/base/log.ts'
import { ChildOutput } from '../../../../src/dserver/ctl/child-output.ts'
import type { LogEntry } from '../../../../src/dserver/ctl/log-entry.ts'
import { LogHub } from '../../../../src/dserver/ctl/log-hub.ts'

const all = { mask: 1008, names: [] }

class Master {
  readonly hub = new LogHub('app', silentLogger, 'info')
  readonly followed: string[] = []

  child(pid: number): ChildOutput {
    return new ChildOutput(this.hub, 'a', pid)
  }

  follow(mask = all.mask): () => void {
    return this.hub.follow({ mask, names: [] }, (entry) => this.followed.push(textOf(entry)))
  }

  /** What a reader finds who comes now. */
  get kept(): string[] {
    return this.hub.recent(all, 1000).map(textOf)
  }
}

function textOf({ pid, level, text }: LogEntry): string {
  return `${pid} ${level} ${text}`
}

function print(child: ChildOutput, text: string): void {
  child.write('stderr', Buffer.from(text))
}

/** What the child's own log sends to followers. */
function send(child: ChildOutput, level: LogLevel, text: string): void {
  child.sent({ time: 0, level, process: 'a', pid: 1, seq: 1, text })
}

test('last words without a line end are those of the child that said them', () => {
  const master = new Master()
  const [old, next] = [master.child(1), master.child(2)]
  print(old, 'last words')
  old.write('stdout', Buffer.from('half'))
  print(next, 'first words\n')
  assert.deepEqual(master.kept, ['2 warn first words'])
  old.end()
  next.end()
  assert.deepEqual(master.kept.sort(), ['1 info half', '1 warn last words', '2 warn first words'])
})

test('what two children print at once is not mixed', () => {
  const master = new Master()
  const [old, next] = [master.child(1), master.child(2)]
  print(old, 'drai')
  print(next, 'ser')
  print(old, 'ning\n')
  print(next, 'ving\n')
  assert.deepEqual(master.kept, ['1 warn draining', '2 warn serving'])
})

test('lines of the logger of a child that has died are found, though its own log died with it', () => {
  const master = new Master()
  const child = master.child(1)
  print(child, 'dmicro info: starting\ndmicro debug: detail\ndmicro error: cannot reach database')
  assert.deepEqual(master.kept, [], 'while it lives its own log is read')
  child.end()
  child.end()
  assert.deepEqual(master.kept, ['1 info starting', '1 error cannot reach database'])
})

test('a child that dies leaves its last lines, however many it has logged before', () => {
  const master = new Master()
  const child = master.child(1)
  for (let i = 0; i < 50; i++) print(child, `dmicro info: ${i}\n`)
  child.end()
  assert.equal(master.kept.length, 50)
  const next = master.child(2)
  print(next, 'dmicro info: cannot start\n')
  next.end()
  assert.equal(master.kept.at(-1), '2 info cannot start')
})

test('a child that was replaced is not asked any more, so that its lines come as printed from then on', () => {
  const master = new Master()
  const child = master.child(1)
  print(child, 'dmicro info: before\n')
  master.follow()
  child.release()
  print(child, 'dmicro warn: draining\nprinted\n')
  child.end()
  assert.deepEqual(master.kept, ['1 info before', '1 warn draining', '1 warn printed'])
  assert.deepEqual(master.followed, ['1 warn draining', '1 warn printed'])
})

test('followers get a line of the logger once: from the child, or else when it has ended', () => {
  const master = new Master()
  const child = master.child(1)
  print(child, 'dmicro info: nobody follows\n')
  const end = master.follow()
  print(child, 'dmicro info: not sent yet\n')
  child.ready()
  print(child, 'dmicro warn: one\ndmicro warn: two\n')
  send(child, 'warn', 'one')
  send(child, 'warn', 'two')
  send(child, 'error', 'three') // its message was read before the pipe
  send(child, 'debug', 'not written')
  print(child, 'dmicro error: three\ndmicro error: cannot reach database\n')
  child.end()
  assert.deepEqual(master.followed, ['1 error cannot reach database'])
  end()
  assert.deepEqual(
    master.kept.map((text) => text.slice(2)),
    ['info nobody follows', 'info not sent yet', 'warn one', 'warn two', 'error three', 'error cannot reach database'],
  )
})

test('a line of the logger that is longer than a line may be is known by its beginning', () => {
  const master = new Master()
  const child = master.child(1)
  master.follow()
  const text = `x error="${'ü'.repeat(4000)}"`
  print(child, `dmicro error: ${text}\n`)
  send(child, 'error', text)
  child.end()
  assert.deepEqual([master.followed, master.kept.length], [[], 1])
})

test('a child that logs without end takes little memory', () => {
  const master = new Master()
  const child = master.child(1)
  master.follow()
  for (let i = 0; i < 5000; i++) print(child, `dmicro warn: ${i}\n`)
  for (let i = 0; i < 5000; i++) send(child, 'debug', `${i}`)
  child.end()
  // A storm may fall into several seconds.
  assert.ok(master.kept.length <= 500 && master.kept[0] === '1 warn 0')
  assert.deepEqual([master.followed.length, master.followed.at(-1)], [500, '1 warn 4999'])
})
