import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Incoming } from '../../../src/message/message.ts'
import { http } from '../../../src/protos/http.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { httpCorpus } from '../../support/http-corpus.ts'
import { Bench } from '../../support/protos.ts'
import { random } from '../../support/random.ts'

const host = 'Host: x\r\n'
const json = 'Content-Type: application/json\r\n'

/** The status line of what a peer is told before its connection closes. */
function refusal(text: string, bench = new Bench(http())): string {
  try {
    const seen = bench.feed(Buffer.from(text, 'latin1'))
    return seen.length === 0 ? 'more' : `${seen.length} messages`
  } catch (error) {
    assert.ok(error instanceof ProtoError, String(error))
    assert.match(error.finalResponse, /^HTTP\/1\.1 [45]\d\d [\s\S]*\r\nConnection: close\r\n\r\n\{"code":/)
    return error.finalResponse.slice(9, 12)
  }
}

describe('RFC 9112', () => {
  const post = `POST /a HTTP/1.1\r\n${host}`
  const rows: [string, string, string][] = [
    ['Content-Length and Transfer-Encoding', `${post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`, '400'],
    ['Transfer-Encoding and Content-Length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n`, '400'],
    ['two equal Content-Lengths', `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\n1`, '400'],
    ['a list of Content-Lengths', `${post}Content-Length: 1, 1\r\n\r\n1`, '400'],
    ['a signed Content-Length', `${post}Content-Length: +1\r\n\r\n1`, '400'],
    ['a negative Content-Length', `${post}Content-Length: -1\r\n\r\n1`, '400'],
    ['a Content-Length of 0x', `${post}Content-Length: 0x1\r\n\r\n1`, '400'],
    ['an empty Content-Length', `${post}Content-Length:\r\n\r\n`, '400'],
    ['a Content-Length over 2^64', `${post}Content-Length: 99999999999999999999999\r\n\r\n`, '400'],
    ['a Content-Length over the limit', `${post}Content-Length: 9999999999999\r\n\r\n`, '413'],
    ['another Transfer-Encoding', `${post}Transfer-Encoding: gzip\r\n\r\n`, '501'],
    ['one around chunks', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n`, '501'],
    ['chunked twice', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '400'],
    ['a misspelt chunked', `${post}Transfer-Encoding: xchunked\r\n\r\n`, '501'],
    ['chunked with a vertical tab', `${post}Transfer-Encoding: \x0bchunked\r\n\r\n`, '400'],
    ['chunks in HTTP/1.0', 'POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', '400'],
    ['a folded header', `${post}A: 1\r\n b\r\n\r\n`, '400'],
    ['a bare LF behind a header', `${post}A: 1\n\r\n`, '400'],
    ['a bare LF behind the request line', `POST /a HTTP/1.1\n${host}\r\n`, '505'],
    ['a bare CR in a header', `${post}A: 1\rB: 2\r\n\r\n`, '400'],
    ['a bare LF at the end of the head', `${post}\n`, '400'],
    ['NUL in a header', `${post}A: \0\r\n\r\n`, '400'],
    ['a space before the colon', `${post}A : 1\r\n\r\n`, '400'],
    ['a header without a name', `${post}: 1\r\n\r\n`, '400'],
    ['a header without a colon', `${post}A\r\n\r\n`, '400'],
    ['a space before the first header', `POST /a HTTP/1.1\r\n A: 1\r\n${host}\r\n`, '400'],
    ['two spaces in the request line', `POST  /a HTTP/1.1\r\n${host}\r\n`, '400'],
    ['two spaces before the version', `POST /a  HTTP/1.1\r\n${host}\r\n`, '400'],
    ['no version', `POST /a\r\n${host}\r\n`, '400'],
    ['HTTP/2.0', `POST /a HTTP/2.0\r\n${host}\r\n`, '505'],
    ['HTTP/0.9', `POST /a HTTP/0.9\r\n${host}\r\n`, '505'],
    ['HTTP/1.9', `POST /a HTTP/1.9\r\n${host}\r\n`, '505'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
    ['RTSP', `ANNOUNCE rtsp://x/a RTSP/1.0\r\n${host}\r\n`, '400'],
    ['an unknown method', `FOO /a HTTP/1.1\r\n${host}\r\n`, '400'],
    ['a method in lower case', `post /a HTTP/1.1\r\n${host}\r\n`, '400'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400'],
    ['no Host', 'GET /a HTTP/1.1\r\n\r\n', '400'],
    ['two Hosts', `GET /a HTTP/1.1\r\n${host}${host}\r\n`, '400'],
    ['a fragment', `GET /a#b HTTP/1.1\r\n${host}\r\n`, '400'],
    ['bad percent signs', `GET /a%zz HTTP/1.1\r\n${host}\r\n`, '400'],
    ['percent signs that are no UTF-8', `GET /a?x=%ff HTTP/1.1\r\n${host}\r\n`, '400'],
    ['CONNECT', `CONNECT a:80 HTTP/1.1\r\n${host}\r\n`, '501'],
    ['Upgrade', `GET /a HTTP/1.1\r\n${host}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`, '1 messages'],
    ['another Expect', `${post}Expect: more\r\n\r\n`, '417'],
    ['another Content-Encoding', `${post}Content-Encoding: br\r\nContent-Length: 1\r\n\r\n1`, '415'],
    ['a chunk size that is none', `${post}Transfer-Encoding: chunked\r\n\r\nx\r\n`, '400'],
    ['a negative chunk size', `${post}Transfer-Encoding: chunked\r\n\r\n-1\r\n`, '400'],
    ['a chunk size over 2^64', `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`, '400'],
    ['a bare LF behind a chunk size', `${post}Transfer-Encoding: chunked\r\n\r\n1\n1\r\n0\r\n\r\n`, '400'],
    ['a chunk longer than its size', `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n12\r\n0\r\n\r\n`, '400'],
    ['an X-Seq that is none', `${post}X-Seq: 1x\r\n\r\n`, '400'],
    ['an X-Seq over int32', `${post}X-Seq: 2147483648\r\n\r\n`, '400'],
    ['an empty X-Seq', `${post}X-Seq:\r\n\r\n`, '400'],
    ['two X-Seqs', `${post}X-Seq: 1\r\nX-Seq: 2\r\n\r\n`, '400'],
    ['a type that no request has', `${post}X-Seq: 1\r\nX-MType: 2\r\n\r\n`, '400'],
    ['AUTH_CALL', `${post}X-Seq: 1\r\nX-MType: 4\r\n\r\n`, '400'],
    ['a push without X-Seq', `${post}X-MType: 3\r\n\r\n`, '400'],
    ['a head of 1 MB', `${post}A: ${'x'.repeat(1_000_000)}\r\n\r\n`, '431'],
    ['a head of 1 MB that goes on', `${post}A: ${'x'.repeat(1_000_000)}`, '431'],
    ['a target of 1 MB', `GET /${'x'.repeat(1_000_000)}`, '431'],
    ['10,000 headers', `${post}${'a:b\r\n'.repeat(10_000)}\r\n`, '431'],
    ['1,001 headers', `${post}${'te:b\r\n'.repeat(1000)}\r\n`, '431'],
    ['257 keys of meta', `GET /a?${'a=b&'.repeat(100)}c=d HTTP/1.1\r\n${host}${'a:b\r\n'.repeat(156)}\r\n`, '431'],
    ['chunk extensions', `${post}${json}Transfer-Encoding: chunked\r\n\r\n1;a=b;c="d"\r\n1\r\n0;e\r\n\r\n`, '1 messages'],
    ['256 keys of meta', `GET /a?${'a=b&'.repeat(99)}c=d HTTP/1.1\r\n${host}${'a:b\r\n'.repeat(156)}\r\n`, '1 messages'],
    ['1,000 headers', `${post}${json}${'te:b\r\n'.repeat(998)}\r\n`, '1 messages'],
  ]
  for (const [what, text, expected] of rows) test(`${what}: ${expected}`, () => assert.equal(refusal(text), expected))

  test('byte by byte it is the same', () => {
    for (const [what, text, expected] of rows) {
      if (text.length > 1000) continue
      const bench = new Bench(http())
      let result = 'more'
      for (let i = 0; i < text.length && result === 'more'; i++) result = refusal(text[i], bench)
      assert.equal(result, expected, what)
    }
  })

  const bad = [
    '200 OK\r\n\r\nx',
    '101 Switching Protocols\r\n\r\n',
    '200 OK\r\nX-MType: 1\r\nX-Seq: 1\r\nContent-Length: 0\r\n\r\n',
    '99 X\r\n\r\n',
  ]
  for (const text of [...bad, '200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n', '200 OK\nA: b\r\n\r\n']) {
    test(`a response is refused and not answered: ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => new Bench(http()).feed(Buffer.from(`HTTP/1.1 ${text}`)),
        (error) => error instanceof ProtoError && error.finalResponse === '',
      )
    })
  }
})

describe('limits', () => {
  const chunked = `POST /a HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n`

  test('a body in chunks over maxMessage', () => {
    const bench = new Bench(http(), { limits: { maxMessage: 1000 } })
    assert.equal(refusal(chunked, bench), 'more')
    assert.equal(refusal(`3e8\r\n${'x'.repeat(1000)}\r\n`, bench), 'more')
    assert.equal(refusal('1\r\nx', bench), '413')
  })

  test('chunk extensions and trailers without end', () => {
    for (const text of [`1;${'x'.repeat(70_000)}`, `0\r\nA: ${'x'.repeat(70_000)}`]) {
      assert.equal(refusal(chunked + text, new Bench(http(), { limits: { maxMessage: 1000 } })), '413')
    }
  })

  test('a Content-Length over maxMessage is refused on its head', () => {
    const text = `POST /a HTTP/1.1\r\n${host}Content-Length: 1001\r\n\r\n`
    assert.equal(refusal(text, new Bench(http(), { limits: { maxMessage: 1000 } })), '413')
    assert.equal(refusal(text.replace('1001', '1000'), new Bench(http(), { limits: { maxMessage: 1000 } })), 'more')
  })

  test('a body of small chunks, byte by byte', () => {
    const bench = new Bench(http())
    assert.equal(refusal(chunked, bench), 'more')
    for (const byte of `${'1\r\nx\r\n'.repeat(500)}0\r\n\r`) assert.equal(refusal(byte, bench), 'more')
    assert.equal(bench.feed(Buffer.from('\n'))[0].body, 'x'.repeat(500))
  })
})

test('names of Object.prototype are keys like any other', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'tostring', 'hasownproperty']
  const query = names.map((name) => `${name}=q`).join('&')
  for (const text of [
    `GET /__proto__ HTTP/1.1\r\n${host}${names.map((name) => `${name}: h\r\n`).join('')}\r\n`,
    `GET /__proto__?${query} HTTP/1.1\r\n${host}\r\n`,
  ]) {
    const message = new Incoming()
    new Bench(http()).session.unpack(Buffer.from(text), 0, text.length, message)
    assert.equal(Object.getPrototypeOf(message.meta), null)
    assert.deepEqual(Object.keys(message.meta!), names)
    assert.equal(({} as Record<string, unknown>).h, undefined)
  }
})

test('10,000 mutations of the corpus end in messages, in wanting more, or in an error', () => {
  const below = random(85)
  const corpus = [
    ...httpCorpus.map((golden) => golden.payload),
    Buffer.from(`GET /a?b=c HTTP/1.1\r\n${host}Accept-Encoding: gzip\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}`),
    Buffer.from('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
  ]
  for (let round = 0; round < 10_000; round++) {
    let bytes = Buffer.concat([corpus[below(corpus.length)], corpus[below(corpus.length)]])
    for (let times = 1 + below(3); times > 0; times--) {
      const at = below(bytes.length)
      const kind = below(3)
      if (kind === 0) bytes[at] = below(256)
      else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))])
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + below(40)), bytes.subarray(at)])
    }
    const { session } = new Bench(http())
    const message = new Incoming()
    try {
      for (let at = 0, used = -1; at < bytes.length && used !== 0; at += used) {
        message.clear()
        used = session.unpack(bytes, at, bytes.length, message)
        assert.ok(Number.isInteger(used) && used >= 0 && at + used <= bytes.length, `round ${round}`)
        if (message.type === 0) continue
        assert.ok(message.type >= 1 && message.type <= 3, `round ${round}: type ${message.type}`)
        assert.ok(message.bodyStart <= message.bodyEnd && message.bodyEnd <= message.buffer.length)
      }
    } catch (error) {
      assert.ok(error instanceof ProtoError, `round ${round}: ${error}`)
    }
    session.close?.()
  }
})
