import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { redisCodec, simple } from '../../../src/codecs/redis.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { MessageType } from '../../../src/message/message.ts'
import { internName } from '../../../src/message/names.ts'
import { encodeStatus } from '../../../src/message/status-json.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { redis, redisProto } from '../../../src/protos/redis.ts'
import { decodeBorrowed } from '../../support/codecs.ts'
import { Bench, type Seen } from '../../support/protos.ts'

const REDIS_ID = 0x72

const open = (limits = {}) => new Bench(redisProto, { limits })
const feed = (bench: Bench, text: string | Buffer) => bench.feed(Buffer.from(text as string))
const command = (...words: string[]) => `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
const args = (message: Seen) => decodeBorrowed(redisCodec, message.body)

/** A reply packed as the dispatcher has it packed. */
const ok = (bench: Bench, seq: number, value: unknown) => {
  const body = value === undefined ? null : value instanceof Uint8Array ? value : redisCodec.encode(value)
  return String(bench.pack({ type: MessageType.Reply, seq, codec: REDIS_ID, body }))
}
const failed = (bench: Bench, seq: number, code: number, message: string, cause = '') =>
  String(bench.pack({ type: MessageType.Reply, seq, statusText: encodeStatus(code, message, cause) }))

describe('vectors of redis', () => {
  test('RD-1: GET foo', () => {
    const [message] = feed(open(), '*2\r\n$3\r\nGET\r\n$3\r\nfoo\r\n')
    assert.deepEqual(message, { type: 1, seq: 1, method: '/redis/get', status: '', meta: '', codec: REDIS_ID, body: '$3\r\nfoo\r\n' })
    assert.deepEqual(args(message), ['foo'])
  })

  test('RD-2: a bulk reply', () => {
    const bench = open()
    feed(bench, command('GET', 'foo'))
    assert.equal(ok(bench, 1, 'bar'), '$3\r\nbar\r\n')
  })

  test('RD-3: a command without a route', () => {
    const bench = open()
    feed(bench, command('DEL'))
    assert.equal(failed(bench, 1, 404, 'Not Found'), "-ERR unknown command 'DEL', with args beginning with: \r\n")
  })

  test('RD-4: PING on a line', () => {
    for (const text of ['PING\r\n', 'ping\n', ' PING \r\n']) {
      const [message] = feed(open(), text)
      assert.equal(message.method, '/redis/ping')
      assert.deepEqual(args(message), [])
    }
  })
})

describe('commands', () => {
  test('a stream cut at every byte gives the same', () => {
    const text = `${command('SET', 'a', '')}\r\n*0\r\n*-1\r\nget  a\t"b"\r\n+OK\r\n${command('ÄÖ', '$1\r\nx\r\n*')}${command('Ping')}`
    const whole = feed(open(), text)
    assert.deepEqual(
      whole.map(({ method }) => method),
      ['/redis/set', '/redis/get', '/redis/äö', '/redis/ping'],
    )
    assert.deepEqual(whole.map(args), [['a', ''], ['a', '"b"'], ['$1\r\nx\r\n*'], []])
    const bytes = Buffer.from(text)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const bench = open()
      assert.deepEqual([...bench.feed(bytes.subarray(0, cut)), ...bench.feed(bytes.subarray(cut))], whole, `cut at ${cut}`)
    }
    const single = open()
    assert.deepEqual(
      [...bytes].flatMap((byte) => single.feed(Buffer.from([byte]))),
      whole,
    )
  })

  test('known names are found whatever their case', () => {
    internName('/redis/mget')
    for (const name of ['mget', 'MGET', 'mGet']) assert.equal(feed(open(), command(name, 'x'))[0].method, '/redis/mget')
    const long = 'X'.repeat(300)
    assert.equal(feed(open(), command(long))[0].method, `/redis/${long.toLowerCase()}`)
  })

  test('with the prefix empty the command is the service method, as in Go', () => {
    const bench = new Bench(redis({ prefix: '' }))
    assert.equal(bench.feed(Buffer.from(command('GeT', 'x')))[0].method, 'GeT')
    assert.equal(failed(bench, 1, 404, 'Not Found'), "-ERR unknown command 'GeT', with args beginning with: 'x' \r\n")
    assert.equal(new Bench(redis({ prefix: 'kv.' })).feed(Buffer.from(command('GeT', 'x')))[0].method, 'kv.get')
    assert.throws(() => redis({ prefix: 1 as never }), TypeError)
  })

  test('QUIT is answered in its turn and ends the connection; nothing is read after it', () => {
    const idle = open()
    assert.deepEqual(feed(idle, `${command('quit')}${command('GET', 'x')}`), [])
    assert.equal(String(idle.written), '+OK\r\n')
    assert.ok(idle.ended)
    assert.deepEqual(feed(idle, command('GET', 'x')), [])

    const busy = open()
    feed(busy, `${command('GET', 'a')}${command('GET', 'b')}QUIT\r\n`)
    assert.equal(ok(busy, 2, 'b'), '')
    assert.equal(busy.ended, false)
    assert.equal(ok(busy, 1, 'a'), '$1\r\na\r\n$1\r\nb\r\n+OK\r\n')
    assert.ok(busy.ended)
  })

  const refused: [name: string, bytes: string, reason: CloseReason | undefined][] = [
    ['a count that is no number', '*x\r\n', undefined],
    ['a count with a plus', '*+1\r\n', undefined],
    ['a count without a number', '*\r\n', undefined],
    ['a count without CR', '*1\n', undefined],
    ['a count over the limit', '*1048577\r\n', CloseReason.TooLarge],
    ['a count of 32 bits', '*4294967295\r\n', CloseReason.TooLarge],
    ['a count that does not end', `*${'1'.repeat(24)}`, undefined],
    ['a size that does not end', `*1\r\n$${'1'.repeat(24)}`, undefined],
    ['a size that is no number', '*1\r\n$x\r\n', undefined],
    ['a null', '*1\r\n$-1\r\n', undefined],
    ['a size over the limit', '*1\r\n$16777217\r\n', CloseReason.TooLarge],
    ['a size of 64 bits', '*1\r\n$9223372036854775807\r\n', CloseReason.TooLarge],
    ['an integer as element', '*1\r\n:1\r\n', undefined],
    ['a nested array', '*1\r\n*1\r\n', undefined],
    ['more bytes than announced', '*1\r\n$1\r\nab\r\n', undefined],
    ['a lone bulk string', '$3\r\nfoo\r\n', undefined],
    ['an endless line', 'x'.repeat(65_537), CloseReason.TooLarge],
    ['a browser', 'POST / HTTP/1.1\r\n', undefined],
    ['a browser’s second line', 'Host: localhost\r\n', undefined],
  ]
  for (const [name, bytes, reason] of refused)
    test(`refused: ${name}`, () => {
      assert.throws(
        () => feed(open(), bytes),
        (error) => error instanceof ProtoError && error.reason === reason && /^(-ERR Protocol error: .*\r\n)?$/.test(error.finalResponse),
      )
    })

  test('all elements together are at most a message', () => {
    const limits = { maxMessage: 100 }
    assert.equal(feed(open(limits), command('SET', 'k', 'x'.repeat(69))).length, 1)
    assert.throws(() => feed(open(limits), command('SET', 'k', 'x'.repeat(79))), ProtoError)
    assert.throws(() => feed(open(limits), '*9\r\n$40\r\n'.padEnd(52, 'x').concat('\r\n$40\r\n')), ProtoError)
  })

  test('names of prototypes are commands like any other (P1)', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const bench = open()
      const [message] = feed(bench, command(name, name))
      assert.equal(message.method, `/redis/${name.toLowerCase()}`)
      assert.match(failed(bench, message.seq, 404, 'Not Found'), /^-ERR unknown command/)
    }
  })
})

describe('replies', () => {
  test('stand in the order of their commands', () => {
    const bench = open()
    feed(bench, command('GET', 'x').repeat(5))
    assert.equal(ok(bench, 3, simple('c')), '')
    assert.equal(failed(bench, 2, 1001, 'b'), '')
    assert.equal(ok(bench, 5, Buffer.from('e')), '')
    assert.equal(ok(bench, 1, 1), ':1\r\n-ERR b\r\n+c\r\n')
    assert.equal(ok(bench, 4, null), '$-1\r\n$1\r\ne\r\n')
    assert.equal(ok(bench, 4, null), '', 'once')
  })

  test('more waiting than may be unsent closes the session', () => {
    const bench = open({ maxUnsent: 10_000 })
    feed(bench, command('GET', 'x').repeat(200))
    assert.throws(
      () => {
        for (let seq = 2; seq <= 200; seq++) ok(bench, seq, 'x')
      },
      (error) => error instanceof ProtoError && error.reason === CloseReason.Unsent,
    )
  })

  test('errors have a code in capitals and one line', () => {
    const cases: [string, string, string][] = [
      ['WRONGTYPE no list', '', '-WRONGTYPE no list\r\n'],
      ['NOAUTH', '', '-NOAUTH\r\n'],
      ['out of stock', 'x', '-ERR out of stock\r\n'],
      ['I am', '', '-ERR I am\r\n'],
      ['', 'the cause', '-ERR the cause\r\n'],
      ['a\r\n+OK', '', '-ERR a  +OK\r\n'],
      ['Not Found', '', '-ERR Not Found\r\n'],
    ]
    for (const [message, cause, line] of cases) {
      const bench = open()
      feed(bench, command('MGET', 'x'))
      assert.equal(failed(bench, 1, message === 'Not Found' ? 404 : 1001, message, cause), line)
    }
    const bench = open()
    feed(bench, command('a\r\n+OK', 'x'))
    assert.equal(failed(bench, 1, 404, 'Not Found'), "-ERR unknown command 'a  +OK', with args beginning with: 'x' \r\n")
  })

  test('nothing is null, bytes are a bulk string, and so is what other codecs made', () => {
    const bench = open()
    feed(bench, command('GET', 'x').repeat(4))
    assert.equal(ok(bench, 1, undefined), '$-1\r\n')
    assert.equal(ok(bench, 2, Buffer.from('+OK\r\n')), '$5\r\n+OK\r\n\r\n')
    assert.equal(ok(bench, 3, [Buffer.from('a')]), '*1\r\n$1\r\na\r\n')
    assert.equal(String(bench.pack({ type: 2, seq: 4, codec: 106, body: '{"é":1}' })), '$8\r\n{"é":1}\r\n')
  })

  test('calls and pushes are refused', () => {
    for (const type of [1, 3]) assert.throws(() => open().pack({ type, method: 'x' }), /^TypeError: .*server-side only/)
  })
})

test('match: an array, not a line', () => {
  const match = (text: string) => redisProto.match?.(Buffer.from(text), defaultLimits)
  assert.deepEqual(['*', '', 'P', '$', '{'].map(match), [true, undefined, false, false, false])
})

test('1 MiB in single bytes, as one argument or a hundred thousand, is read once', () => {
  const whole = [command('SET', 'k', 'x'.repeat(1 << 20)), command('MSET', ...new Array<string>(100_000).fill('abc'))]
  for (const text of whole) {
    const bytes = Buffer.from(text)
    const { session } = open()
    const begun = performance.now()
    for (let end = 1; end < bytes.length; end++) assert.equal(session.unpack(bytes, 0, end, { type: 0 } as never), 0)
    assert.equal(feed(open(), bytes).length, 1)
    assert.ok(performance.now() - begun < 3000)
  }
})
