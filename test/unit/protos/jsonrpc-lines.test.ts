import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { jsonrpcProto } from '../../../src/protos/jsonrpc.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { Bench } from '../../support/protos.ts'

const open = (limits = {}) => new Bench(jsonrpcProto, { limits })
const feed = (bench: Bench, text: string) => bench.feed(Buffer.from(text))
const answers = (bench: Bench) => bench.written.map(String).join('')
const request = (id: string) => `{"jsonrpc":"2.0","method":"/m","params":[1],"id":${id}}\r\n`

test('match: the first byte that is not white space opens an object or an array', () => {
  const match = (text: string) => jsonrpcProto.match?.(Buffer.from(text), defaultLimits)
  for (const text of ['{', ' \r\n[', '\t{}']) assert.equal(match(text), true)
  for (const text of ['', ' ', '\r\n']) assert.equal(match(text), undefined)
  for (const text of ['G', ' 1', '"', ' '.repeat(65)]) assert.equal(match(text), false)
})

test('a line ends at its first line break, wherever that stands and whatever follows', () => {
  const deep = '['.repeat(200) + ']'.repeat(200)
  for (const params of ['{"a":[1,"x"],"b":{}}', deep]) {
    const line = `{"jsonrpc":"2.0","method":"/m","params":${params},"id":7,"context":{}}\r\n`
    for (let at = 0; at < line.length; at++) {
      const text = `${request('1')}${line.slice(0, at)}\n${line.slice(at)}${request('2')}`
      const whole = open()
      const apart = open()
      const seen = feed(whole, text)
      assert.deepEqual(
        seen,
        text.split(/(?<=\n)/).flatMap((each) => feed(apart, each)),
        `broken at ${at}`,
      )
      assert.equal(answers(whole), answers(apart), `broken at ${at}`)
      assert.equal(seen[0].seq, 1)
      assert.equal(seen.at(-1)?.seq, 2)
    }
  }
})

test('1 MiB of one line in single bytes is searched once', () => {
  const line = Buffer.from(`{"jsonrpc":"2.0","method":"m","params":"${'x'.repeat(1 << 20)}","id":1}\n`)
  const { session } = open()
  const begun = performance.now()
  for (let end = 1; end < line.length; end++) assert.equal(session.unpack(line, 0, end, { type: 0 } as never), 0)
  assert.equal(session.unpack(line, 0, line.length, { type: 0 } as never), line.length)
  assert.ok(performance.now() - begun < 3000)
})

test('a line over the limit closes the session, complete or not', () => {
  for (const text of ['x'.repeat(101), `${'x'.repeat(100)}\n`])
    assert.throws(
      () => feed(open({ maxMessage: 100 }), text),
      (error) => error instanceof ProtoError && error.reason === CloseReason.TooLarge,
    )
  feed(open({ maxMessage: 100 }), `${'1'.repeat(99)}\n`)
})
