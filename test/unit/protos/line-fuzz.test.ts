import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonrpcProto } from '../../../src/protos/jsonrpc.ts'
import type { Proto } from '../../../src/protos/proto.ts'
import { redisProto } from '../../../src/protos/redis.ts'
import { jsonrpcCorpus, redisCorpus } from '../../support/line-corpus.ts'
import type { Golden } from '../../support/proto-corpus.ts'
import { Bench, type Seen } from '../../support/protos.ts'
import { random } from '../../support/random.ts'

const prototypeNames = Object.getOwnPropertyNames(Object.prototype).sort()

function checkGolden(proto: Proto, corpus: readonly Golden[]): void {
  for (const { what, payload, type, seq, method, status, meta, codec, body } of corpus) {
    const expected = { type, seq, method, status: status ?? '', codec, body }
    for (let cut = 0; cut <= payload.length; cut++) {
      const bench = new Bench(proto)
      const [seen, ...more] = [...bench.feed(payload.subarray(0, cut)), ...bench.feed(payload.subarray(cut))]
      assert.deepEqual(more, [])
      const { meta: seenMeta, ...rest } = seen
      assert.deepEqual(rest, expected, `${what} at ${cut}`)
      assert.deepEqual({ ...(seenMeta as object) }, meta)
      assert.deepEqual(bench.written, [])
    }
  }
}

/** Two messages in a row, mutated and cut at random: messages, answers or an error come of them, and nothing else. */
function fuzz(proto: Proto, corpus: readonly Golden[], answered: (answer: string) => boolean): { messages: number; errors: number } {
  let messages = 0
  let errors = 0
  for (let seed = 1; seed <= 10_000; seed++) {
    const rnd = random(seed)
    let bytes = Buffer.concat([corpus[rnd(corpus.length)].payload, corpus[rnd(corpus.length)].payload])
    for (let i = 1 + rnd(4); i > 0; i--) {
      const at = rnd(bytes.length)
      const kind = rnd(4)
      if (kind < 2) bytes[at] = kind === 0 ? rnd(256) : bytes[rnd(bytes.length)]
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(kind === 2 ? at + 1 : Math.max(0, at - 3))])
    }
    const bench = new Bench(proto)
    const seen: Seen[] = []
    try {
      for (let at = 0; at < bytes.length; ) {
        const next = Math.min(bytes.length, at + 1 + rnd(bytes.length))
        seen.push(...bench.feed(bytes.subarray(at, next)))
        at = next
      }
    } catch (error) {
      assert.ok(error instanceof Error && error.name === 'ProtoError', `seed ${seed}: ${error instanceof Error ? error.stack : error}`)
      errors++
    }
    messages += seen.length
    for (const { type, seq, codec } of seen) {
      assert.ok(type >= 1 && type <= 3, `seed ${seed}: type ${type}`)
      assert.ok(Number.isSafeInteger(seq) && (type !== 2 || (seq | 0) === seq), `seed ${seed}: seq ${seq}`)
      assert.ok(codec !== 0 || type === 2)
    }
    for (const answer of bench.written) assert.ok(answered(String(answer)), `seed ${seed}: ${answer}`)
  }
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), prototypeNames)
  return { messages, errors }
}

test('jsonrpc: the golden lines, cut at every byte', () => checkGolden(jsonrpcProto, jsonrpcCorpus))

test('redis: the golden commands, cut at every byte', () => checkGolden(redisProto, redisCorpus))

test('jsonrpc: 10,000 mutations', () => {
  const { messages } = fuzz(jsonrpcProto, jsonrpcCorpus, (answer) => {
    const error = /^(?:\[.*\]|\{"jsonrpc":"2.0","id":.*,"error":\{"code":-32[67]00,"message":"(?:Parse error|Invalid Request)"\}\})\r\n$/
    return error.test(answer) && JSON.parse(answer) !== null
  })
  assert.ok(messages > 5000, `${messages} messages`)
})

test('redis: 10,000 mutations', () => {
  const { messages, errors } = fuzz(redisProto, redisCorpus, () => false)
  assert.ok(messages > 5000 && errors > 1000, `${messages} messages, ${errors} errors`)
})
