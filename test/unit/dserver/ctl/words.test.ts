import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from '../../../../src/base/text/table.ts'
import { splitWords } from '../../../../src/dserver/cli/ctl-shell.ts'
import { fromGoInfos, goInfos } from '../../../../src/dserver/ctl/go-routes.ts'
import { size } from '../../../../src/dserver/ctl/size.ts'
import { UsageMeter } from '../../../../src/dserver/ctl/usage.ts'

test('a line of the shell is split at spaces outside of quotes', () => {
  const lines = ['', ' info ', 'log  -l "a b" -n\'c d\'e', 'stop "', `'x"y' "it's"`]
  assert.deepEqual(lines.map(splitWords), [[], ['info'], ['log', '-l', 'a b', '-nc de'], ['stop', '"'], ['x"y', "it's"]])
})

test('a table has columns as wide as their widest text, and sizes a unit', () => {
  assert.equal(
    table([
      ['A', 'LONG', 'C'],
      [1, 'x', ''],
      ['three', 2, 'y'],
    ]),
    'A      LONG  C\n1      x\nthree  2     y',
  )
  assert.deepEqual([0, 1023, 1024, 1536, 5 * 2 ** 40].map(size), ['0 B', '1023 B', '1 KiB', '1.5 KiB', '5 TiB'])
})

test('sandboxes are told in Go’s words, and understood from them', () => {
  const running = { name: 'a', service: 's', state: 'running', description: 'pid 7, uptime 0:00:01', pid: 7 } as const
  const stopped = { name: 'b', service: 's', state: 'stopped', description: '', pid: 0 } as const
  const told = goInfos([running, stopped])
  assert.equal(
    JSON.stringify(told),
    '{"list":[{"SandBoxName":"a","ServiceName":"s","Status":"Running","Description":"pid 7, uptime 0:00:01"},{"SandBoxName":"b","ServiceName":"s","Status":"Stopped"}]}',
  )
  assert.deepEqual(fromGoInfos(told), [running, stopped])
  assert.deepEqual([goInfos([]), fromGoInfos({}), fromGoInfos(null), fromGoInfos({ list: 7 })], [{}, [], [], []])
  assert.deepEqual(fromGoInfos({ list: [null] }), [{ name: '', service: '', state: '', description: '', pid: 0 }])
})

test('a meter tells what this process uses, and CPU since the last time', () => {
  const meter = new UsageMeter()
  const first = meter.read()
  for (const end = performance.now() + 60; performance.now() < end; );
  const second = meter.read()
  meter.close()
  assert.ok(first.memory > first.heap && first.heap > 0 && second.cpu > 10, JSON.stringify([first, second]))
})
