import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { Incoming } from '../../../src/message/message.ts'
import { Outgoing } from '../../../src/message/outgoing.ts'
import { type HttpOptions, http as httpProto } from '../../../src/protos/http.ts'
import { type Proto, ProtoError } from '../../../src/protos/proto.ts'
import { Bench, type Seen } from '../../support/protos.ts'

const FIRST = 2 ** 32
const DATE = 'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n'

/** Who may send what is the business of other tests. */
function http(options: HttpOptions = {}): Proto {
  return httpProto({ pages: 'any', idleTimeout: 0, ...options })
}

function ask(bench: Bench, lines: string, body = ''): Seen[] {
  return bench.feed(Buffer.from(`${lines.replaceAll('\n', '\r\n')}\r\nHost: x\r\n\r\n${body}`))
}

function answer(bench: Bench, index: number, fields: Partial<Outgoing> = { codec: 106, body: `${index}` }): string {
  return bench.pack({ type: 2, seq: FIRST + index, ...fields }).toString()
}

function unpacked(lines: string, body = ''): Incoming {
  const bytes = Buffer.from(`${lines.replaceAll('\n', '\r\n')}\r\nHost: x\r\n\r\n${body}`)
  const message = new Incoming()
  new Bench(http()).session.unpack(bytes, 0, bytes.length, message)
  return message
}

describe('requests', () => {
  const json = 'Content-Type: application/json'

  test('JSON in, JSON out', () => {
    const bench = new Bench(http())
    const [seen] = ask(bench, `POST /a?x=1 HTTP/1.1\n${json}\nContent-Length: 1`, '5')
    assert.deepEqual(
      { ...seen, meta: { ...(seen.meta as object) } },
      { type: 1, seq: FIRST, method: '/a', status: '', meta: { x: '1' }, codec: 106, body: '5' },
    )
    assert.equal(answer(bench, 0), `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Type: application/json;charset=utf-8\r\n${DATE}\r\n0`)
  })

  const codecs: [string, string, string, number, string | undefined][] = [
    ['no body', '', '', 106, undefined],
    ['no type', 'Content-Length: 1', '5', 106, undefined],
    ['form', 'Content-Type: application/x-www-form-urlencoded\nContent-Length: 3', 'a=1', 102, '106'],
    ['text', 'Content-Type: TEXT/Plain ; x=y\nContent-Length: 1', 'a', 115, '106'],
    ['an unknown type', 'Content-Type: image/png\nContent-Length: 1', 'a', 0, '106'],
    ['Accept', 'Accept: text/html, text/xml;q=0, text/plain', '', 106, '115'],
    ['Accept of anything', 'Accept: image/*, text/plain', '', 106, undefined],
    ['Accept of a browser', 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', '', 106, undefined],
    ['Accept of a text, or else JSON', 'Accept: text/plain, application/json', '', 106, undefined],
    ['Accept in another order', 'Accept: text/plain;q=0.1, application/msgpack;q=0.5', '', 106, '109'],
    ['Accept of cbor before anything', 'Accept: application/cbor, */*;q=0.1', '', 106, '99'],
    ['the client says itself', 'Accept: text/plain\nX-Accept-Body-Codec: 99', '', 106, '99'],
  ]
  for (const [what, lines, body, codec, reply] of codecs) {
    test(`codecs: ${what}`, () => {
      const message = unpacked(`POST /a HTTP/1.1${lines === '' ? '' : `\n${lines}`}`, body)
      assert.deepEqual([message.codec, message.meta?.['X-Accept-Body-Codec']], [codec, reply])
    })
  }

  test('an equal head that follows has its own body, number and meta', () => {
    const bench = new Bench(http())
    const lines = 'POST /a HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 3'
    const one = [...ask(bench, lines, 'a=1'), ...ask(bench, lines, 'b=2'), ...ask(bench, lines, 'c=3')]
    assert.deepEqual(
      one.map(({ seq, body, method }) => [seq - FIRST, body, method]),
      [
        [0, 'a=1', '/a'],
        [1, 'b=2', '/a'],
        [2, 'c=3', '/a'],
      ],
    )
    assert.notEqual(one[1].meta, one[2].meta)
    const others = [...ask(bench, lines.replace('/a', '/b'), 'd=4'), ...ask(bench, 'GET /c HTTP/1.1'), ...ask(bench, lines, 'e=5')]
    assert.deepEqual(
      others.map(({ method, body }) => method + body),
      ['/bd=4', '/c', '/ae=5'],
    )
  })

  test('what browsers send of their own is no meta; credentials and the origin are', () => {
    const message = unpacked(
      'GET /a HTTP/1.1\nUser-Agent: m\nAccept-Language: de\nSec-Fetch-Mode: cors\nReferer: r\nCookie: a=1\nCookie: b=2\nOrigin: o\n' +
        'Authorization: Bearer t\nMy-Own: 1\nMy-Own: 2',
    )
    assert.deepEqual({ ...message.meta }, { cookie: 'a=1; b=2', origin: 'o', authorization: 'Bearer t', 'my-own': '1, 2' })
  })

  test('a header wins over a query parameter', () => {
    assert.equal(unpacked('GET /a?X-Real-IP=1&x=2 HTTP/1.1\nx-real-ip: 3').meta?.['X-Real-IP'], '3')
  })

  test('absolute targets, other methods, empty lines before', () => {
    const method = (line: string): string => ask(new Bench(http()), line)[0].method
    assert.equal(method('GET http://h:1/a/b?x HTTP/1.1'), '/a/b')
    assert.equal(method('GET http://h HTTP/1.1'), '/')
    assert.equal(method('\n\nDELETE /a HTTP/1.1'), '/a')
    assert.equal(method('OPTIONS * HTTP/1.1'), '*')
  })

  test('such a peer takes no calls', () => {
    const bench = new Bench(http())
    ask(bench, 'GET /a HTTP/1.1')
    assert.throws(() => bench.pack({ type: 1, seq: 1, method: '/a', codec: 106 }), /takes no calls/)
  })
})

describe('replies', () => {
  test('in the order of the requests', () => {
    const bench = new Bench(http())
    for (let i = 0; i < 4; i++) ask(bench, 'GET /a HTTP/1.1')
    const body = (i: number): string =>
      `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Type: application/json;charset=utf-8\r\n${DATE}\r\n${i}`
    assert.equal(answer(bench, 2, { codec: 106, body: Buffer.from('2') }), '')
    assert.equal(answer(bench, 1), '')
    assert.equal(answer(bench, 0), body(0) + body(1) + body(2))
    assert.equal(answer(bench, 3), body(3))
    assert.throws(() => answer(bench, 3), /no request waits/)
    ask(bench, 'GET /a HTTP/1.1')
    assert.equal(answer(bench, 4), body(4))
  })

  test('thousands of them, backwards', () => {
    const bench = new Bench(http())
    const times = 3000
    for (let i = 0; i < times; i++) ask(bench, 'GET /a HTTP/1.1')
    for (let i = times - 1; i > 0; i--) assert.equal(answer(bench, i), '')
    const all = answer(bench, 0).split('HTTP/1.1 200 OK').slice(1)
    assert.deepEqual(
      all.map((text) => Number(text.split('\r\n\r\n')[1])),
      Array.from({ length: times }, (_, i) => i),
    )
  })

  test('what is held back is limited', () => {
    const bench = new Bench(http(), { limits: { maxUnsent: 500 } })
    for (let i = 0; i < 3; i++) ask(bench, 'GET /a HTTP/1.1')
    assert.equal(answer(bench, 1, { codec: 106, body: 'x'.repeat(200) }), '')
    assert.throws(
      () => answer(bench, 2, { codec: 106, body: 'x'.repeat(300) }),
      (error) => error instanceof ProtoError && error.reason === CloseReason.Unsent,
    )
  })

  test('a reply that cannot be written leaves its place for another', () => {
    const bench = new Bench(http())
    ask(bench, 'GET /a HTTP/1.1')
    assert.throws(() => answer(bench, 0, { codec: 106, body: '1', metaText: '{"a":"\\n"}' }), TypeError)
    assert.match(answer(bench, 0, { statusText: '{"code":500,"msg":"","cause":""}' }), /^HTTP\/1.1 500 Internal Server Error\r\n/)
  })

  const codes: [number, string][] = [
    [400, '400 Bad Request'],
    [404, '404 Not Found'],
    [499, '499 Error'],
    [599, '599 Error'],
    [102, '500 Internal Server Error'],
    [1234, '500 Internal Server Error'],
    [-1, '500 Internal Server Error'],
  ]
  for (const [code, line] of codes) {
    test(`status ${code} is ${line}`, () => {
      const bench = new Bench(http())
      ask(bench, 'GET /a HTTP/1.1')
      const statusText = `{"code":${code},"msg":"m","cause":""}`
      const head = `HTTP/1.1 ${line}\r\nContent-Length: ${statusText.length}\r\nContent-Type: application/json\r\n${DATE}\r\n`
      assert.equal(answer(bench, 0, { statusText }), head + statusText)
    })
  }

  test('no result is 200 without a body; HEAD has the head alone', () => {
    const bench = new Bench(http())
    ask(bench, 'GET /a HTTP/1.1')
    assert.equal(answer(bench, 0, { codec: 106, body: null }), `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${DATE}\r\n`)
    ask(bench, 'HEAD /a HTTP/1.1')
    assert.match(answer(bench, 1, { codec: 106, body: '12' }), /Content-Length: 2\r\n.*\r\nDate: .*\r\n\r\n$/)
  })

  for (const line of ['GET /a HTTP/1.0', 'GET /a HTTP/1.1\nConnection: close']) {
    test(`${JSON.stringify(line)}: answered, then the end; what follows is passed over`, () => {
      const bench = new Bench(http())
      assert.equal(ask(bench, 'GET /first HTTP/1.1').length, 1)
      assert.equal(ask(bench, line).length, 1)
      assert.deepEqual(ask(bench, 'GET /b HTTP/1.1'), [])
      assert.equal(answer(bench, 1), '')
      assert.equal(bench.ended, false)
      assert.equal(answer(bench, 0), '')
      assert.match(String(bench.written[0]), /0HTTP\/1.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\nDate: .*\r\n\r\n1$/)
      assert.equal(bench.ended, true)
    })
  }

  test('HTTP/1.0 that wants to go on', () => {
    const bench = new Bench(http())
    ask(bench, 'GET /a HTTP/1.0\nConnection: keep-alive')
    assert.notEqual(answer(bench, 0), '')
    assert.equal(ask(bench, 'GET /b HTTP/1.0').length, 1)
  })

  test('garbage behind requests is refused after their replies', () => {
    const bench = new Bench(http())
    ask(bench, 'GET /a HTTP/1.1')
    assert.deepEqual(bench.feed(Buffer.from('garbage\r\n\r\n')), [])
    assert.equal(answer(bench, 0), '')
    assert.match(String(bench.written[0]), /\r\n\r\n0HTTP\/1.1 400 Bad Request\r\n[\s\S]*Connection: close/)
    assert.equal(bench.ended, true)
  })

  test('gzip when the client takes it and it is worth it', () => {
    const worth = (lines: string, body: string): [readonly string[] | undefined, boolean | undefined] => {
      const { session } = new Bench(http())
      const bytes = Buffer.from(`GET /a HTTP/1.1\r\nHost: x\r\n${lines}\r\n`)
      const message = new Incoming()
      session.unpack(bytes, 0, bytes.length, message)
      return [message.replyFilters, session.shouldFilter?.(Object.assign(new Outgoing(), { type: 2, seq: message.seq, codec: 106, body }))]
    }
    const big = 'x'.repeat(1024)
    for (const value of ['gzip', 'br, GZIP;q=0.5', '*', 'deflate, gzip, br, zstd']) {
      assert.deepEqual(worth(`Accept-Encoding: ${value}\r\n`, big), [['gzip'], true], value)
    }
    for (const value of ['', 'br', 'gzip;q=0', '*;q=0', 'gzip;q=0.0, *']) {
      assert.deepEqual(worth(`Accept-Encoding: ${value}\r\n`, big), [undefined, false], value)
    }
    assert.deepEqual(worth('Accept-Encoding: gzip\r\n', 'x'.repeat(1023)), [['gzip'], false])
    const bench = new Bench(http())
    ask(bench, 'GET /a HTTP/1.1')
    assert.match(
      answer(bench, 0, { codec: 106, body: Buffer.from('z'), filters: ['gzip'] }),
      /\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n\r\nz$/,
    )
  })
})

describe('Expect: 100-continue', () => {
  const lines = 'POST /a HTTP/1.1\nExpect: 100-continue\nContent-Length: 2'
  const go = 'HTTP/1.1 100 Continue\r\n\r\n'

  test('is answered when the body is waited for', () => {
    const bench = new Bench(http())
    assert.deepEqual(ask(bench, lines), [])
    assert.deepEqual(bench.written.map(String), [go])
    assert.equal(bench.feed(Buffer.from('12'))[0].body, '12')
  })

  test('is not when the body is there, or in HTTP/1.0', () => {
    const bench = new Bench(http())
    ask(bench, lines, '12')
    ask(bench, lines.replace('1.1', '1.0'))
    assert.deepEqual(bench.written, [])
  })

  test('waits for the replies before', () => {
    const bench = new Bench(http())
    ask(bench, 'GET /a HTTP/1.1')
    ask(bench, lines)
    assert.deepEqual(bench.written, [])
    assert.ok(answer(bench, 0).endsWith(`\r\n\r\n0${go}`))
  })

  test('a body over the limit is refused before it is sent', () => {
    const bench = new Bench(http(), { limits: { maxMessage: 1 } })
    assert.throws(
      () => ask(bench, lines),
      (error) => error instanceof ProtoError && error.finalResponse.startsWith('HTTP/1.1 413 '),
    )
    assert.deepEqual(bench.written, [])
  })
})

describe('CORS', () => {
  const preflight =
    'OPTIONS /a HTTP/1.1\nOrigin: https://a.example\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: content-type'

  test('preflight requests reach no handler', () => {
    const bench = new Bench(http({ cors: '*' }))
    assert.deepEqual(ask(bench, preflight), [])
    assert.match(
      String(bench.written[0]),
      /^HTTP\/1.1 204 No Content\r\nAccess-Control-Allow-Origin: \*\r\n[\s\S]*Allow-Headers: content-type\r\n/,
    )
    ask(bench, 'GET /a HTTP/1.1')
    assert.deepEqual(ask(bench, preflight), [])
    assert.equal(bench.written.length, 1)
    assert.match(answer(bench, 1), /\r\n\r\n1HTTP\/1.1 204 No Content/)
  })

  test('without the option there is nothing of it', () => {
    const bench = new Bench(http())
    assert.equal(ask(bench, preflight).length, 1)
    assert.doesNotMatch(answer(bench, 0), /Access-Control|Vary/)
  })

  test('a list of origins', () => {
    const reply = (origin: string): string => {
      const bench = new Bench(http({ cors: ['https://a.example'] }))
      ask(bench, `GET /a HTTP/1.1\nOrigin: ${origin}`)
      return answer(bench, 0)
    }
    assert.match(reply('https://a.example'), /\r\nAccess-Control-Allow-Origin: https:\/\/a.example\r\nVary: Origin\r\n/)
    assert.doesNotMatch(reply('https://b.example'), /Access-Control/)
    assert.match(reply('https://b.example'), /\r\nVary: Origin\r\n/)
    assert.throws(() => http({ cors: 'https://a.example' as never }), TypeError)
  })
})
