import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isForeignLine } from '../../../src/protos/foreign-line.ts'
import { jsonrpcProto } from '../../../src/protos/jsonrpc.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { redisProto } from '../../../src/protos/redis.ts'
import { Bench } from '../../support/protos.ts'

const foreign = [
  'POST / HTTP/1.1',
  'GET /any?x={"jsonrpc":"2.0"} HTTP/1.1',
  'OPTIONS * HTTP/1.0',
  'X-ANY /a HTTP/1.1 ',
  'PRI * HTTP/2.0',
  'post /a http/1.1',
  'POST /old',
  'HTTP/1.1 200 OK',
  'http/1.0 200',
  'Host: localhost:1',
  'host : x',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
]
const own = ['GET key', 'get HTTP', 'SET a HTTP/', 'HTTP/1.1'.slice(0, 4), 'HOSTS x', 'POSTS', '', ' ', 'x', 'ping', 'é HTTP/1.1x', '\x16']

test('what is a line of HTTP or TLS', () => {
  for (const end of ['', '\r']) {
    for (const line of foreign) assert.ok(isForeignLine(Buffer.from(`##${line}${end}`, 'latin1'), 2, 2 + line.length + end.length), line)
    for (const line of own) assert.ok(!isForeignLine(Buffer.from(`##${line}${end}`, 'latin1'), 2, 2 + line.length + end.length), line)
  }
})

for (const [proto, call] of [
  [jsonrpcProto, '{"jsonrpc":"2.0","method":"/run","id":1}\r\n'],
  [redisProto, '*1\r\n$3\r\nrun\r\n'],
] as const) {
  describe(proto.name, () => {
    for (const line of foreign) {
      test(`${JSON.stringify(line)} ends the connection before what follows it, whole and byte by byte, first and later`, () => {
        const bytes = Buffer.from(`${line}\r\n\r\n${call}`, 'latin1')
        const refuses = (run: (bench: Bench) => void, bench = new Bench(proto)): void =>
          assert.throws(
            () => run(bench),
            (error) => error instanceof ProtoError && error.finalResponse === '',
          )
        refuses((bench) => bench.feed(bytes))
        refuses((bench) => {
          for (const byte of bytes) assert.deepEqual(bench.feed(Buffer.of(byte)), [])
        })
        const later = new Bench(proto)
        assert.equal(later.feed(Buffer.from(call)).length, 1)
        refuses((bench) => bench.feed(bytes), later)
      })
    }
  })
}
