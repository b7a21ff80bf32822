import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { redisBuffers, redisCodec } from '../../src/codecs/redis.ts'
import { TextHint } from '../../src/message.ts'
import { jsonrpcProto } from '../../src/protos/jsonrpc.ts'
import { redisProto } from '../../src/protos/redis.ts'
import { Bench } from '../protos.ts'

interface Vector {
  name: string
  hex: string
  goReads?: boolean
  fields: { seq: number; type: number; serviceMethod: string; status: { code: number; msg: string }; meta: object; bodyHex: string }
}

interface Exchange {
  name: string
  requestHex: string
  argsHex: string[]
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))

test("jsonrpc: Go's lines are read as Go meant them", () => {
  let count = 0
  for (const { name, hex, fields } of read('jsonrpc') as Vector[]) {
    if (fields === undefined) continue
    const bench = new Bench(jsonrpcProto)
    const [seen, ...more] = bench.feed(Buffer.from(hex, 'hex'))
    assert.deepEqual(more, [], name)
    assert.equal(seen.type, fields.type, name)
    assert.equal(seen.seq, fields.seq, name)
    assert.equal(seen.method, fields.serviceMethod, name)
    assert.deepEqual(Object.keys(seen.meta as object).sort(), Object.keys(fields.meta).sort(), name)
    const body = Buffer.from(fields.bodyHex ?? '', 'hex').toString()
    const status = seen.status as { code: number; message: string } | ''
    assert.deepEqual(status === '' ? [0, ''] : [status.code, status.message], [fields.status.code, fields.status.msg], name)
    if (status === '') assert.equal(seen.body, body === 'null' && seen.type === 1 ? '' : body, name)
    count++
  }
  assert.ok(count > 10, `${count}`)
})

test('redis: commands that Go answered are read as the same arguments', () => {
  let count = 0
  for (const { name, requestHex, argsHex } of read('redis') as Exchange[]) {
    if (argsHex === undefined || argsHex.length === 0) continue
    const bench = new Bench(redisProto)
    const [seen] = bench.feed(Buffer.from(requestHex, 'hex'))
    const [command, ...expected] = argsHex.map((hex) => Buffer.from(hex, 'hex'))
    assert.equal(seen.method, `/redis/${command.toString().toLowerCase()}`, name)
    // Bodies that are not UTF-8 are compared elsewhere: this view of a message is text.
    if (expected.every((arg) => Buffer.from(arg.toString()).equals(arg))) {
      const body = Buffer.from(seen.body)
      assert.deepEqual(redisCodec.decode(body, 0, body.length, TextHint.Nothing, { maxDepth: 128 }, redisBuffers), expected, name)
    }
    count++
  }
  assert.ok(count > 5, `${count}`)
})
