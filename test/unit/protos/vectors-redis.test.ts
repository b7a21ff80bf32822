import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redisBuffers, redisCodec, simple } from '../../../src/codecs/redis.ts'
import { TextHint } from '../../../src/message/message.ts'
import { redisProto } from '../../../src/protos/redis.ts'
import { checkSplits } from '../../support/golden.ts'
import { type Message, ProtoPeer } from '../../support/proto-peer.ts'
import { readVectors } from '../../support/vectors.ts'

/** A command and what Go answered. */
interface Exchange {
  readonly name: string
  readonly requestHex: string
  readonly argsHex: readonly string[]
  readonly hex: string
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const vectors = readVectors<Exchange>('redis').map((vector) =>
  vector.name === 'error-unknown' ? { ...vector, hex: asRedis(vector) } : vector,
)

/** Go names the route in its error; clients know the command they sent. */
function asRedis({ argsHex }: Exchange): string {
  const [command, ...args] = argsHex.map(bytes)
  const said = args.map((arg) => `'${arg}' `).join('')
  return Buffer.from(`-ERR unknown command '${command}', with args beginning with: ${said}\r\n`).toString('hex')
}

/** What the handlers of test/interop/go/route_redis.go return, by command; an Error is a status with its message. */
const handlers: Readonly<Record<string, (args: Buffer[]) => unknown>> = {
  ping: () => simple('PONG'),
  set: (args) => (args.length === 2 ? simple('OK') : new Error("ERR wrong number of arguments for 'set' command")),
  get: ([key]) => (key.toString() === 'foo' ? 'bar' : null),
  echo: ([text]) => text,
  strlen: ([text]) => text.length,
  list: (args) => args,
  wrong: () => new Error('WRONGTYPE not a list'),
}

function argsOf({ body }: Message): Buffer[] {
  const buffer = Buffer.from(body as Uint8Array)
  return redisCodec.decode(buffer, 0, buffer.length, TextHint.Nothing, { maxDepth: 128 }, redisBuffers) as Buffer[]
}

function reply(peer: ProtoPeer, { seq, method }: Message, args: Buffer[]): Buffer {
  const handler = handlers[method.slice('/redis/'.length)]
  const result = handler === undefined ? new Error('Not Found') : handler(args)
  const answer = { type: 2, seq, method: '', meta: {}, filters: [] }
  if (!(result instanceof Error)) return peer.send({ ...answer, codec: redisCodec.id, body: redisCodec.encode(result) as string })
  return peer.send({ ...answer, codec: 0, body: '', status: { code: handler === undefined ? 404 : 1, message: result.message, cause: '' } })
}

test('redis: every command sent to Go is read as the arguments it had, and answered with the bytes of Go', () => {
  assert.equal(vectors.length, 16)
  for (const { name, requestHex, argsHex, hex } of vectors) {
    const peer = new ProtoPeer(redisProto)
    const [message, ...more] = peer.feed(bytes(requestHex))
    const [command, ...args] = argsHex.map(bytes)
    assert.deepEqual(more, [], name)
    const { body: _body, ...fields } = message
    const method = `/redis/${command.toString().toLowerCase()}`
    assert.deepEqual(fields, { type: 1, seq: 1, method, meta: {}, codec: redisCodec.id, filters: [] }, name)
    assert.deepEqual(argsOf(message), args, name)
    assert.equal(reply(peer, message, args).toString('hex'), hex, name)
    assert.equal(peer.closed, undefined, name)
  }
})

test('redis: all commands in one piece, which Go loses, are answered in order', () => {
  const peer = new ProtoPeer(redisProto)
  const messages = peer.feed(Buffer.concat(vectors.map(({ requestHex }) => bytes(requestHex))))
  const answers = messages.map((message) => reply(peer, message, argsOf(message)).toString('hex'))
  assert.deepEqual(
    answers,
    vectors.map(({ hex }) => hex),
  )
})

test('redis: commands cut in two anywhere are the same messages', () => {
  checkSplits(
    redisProto,
    vectors.map(({ requestHex }) => requestHex),
    512,
  )
})
