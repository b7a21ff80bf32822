import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Incoming } from '../../../src/message/message.ts'
import { Outgoing } from '../../../src/message/outgoing.ts'
import { http } from '../../../src/protos/http.ts'
import { httpCorpus } from '../../support/http-corpus.ts'
import type { Golden } from '../../support/proto-corpus.ts'
import { Bench, type Seen } from '../../support/protos.ts'

/** As `Bench` shows a golden message. */
function expected(golden: Golden): Seen {
  const { type, seq, method, status, meta, codec, body } = golden
  return { type, seq, method, status: status ?? '', meta: Object.keys(meta).length === 0 ? '' : meta, codec, body }
}

function plainObject(seen: Seen): Seen {
  return { ...seen, meta: typeof seen.meta === 'object' ? { ...seen.meta } : seen.meta }
}

function read(bytes: Buffer, bench = new Bench(http())): Seen[] {
  return bench.feed(bytes).map(plainObject)
}

describe('reading', () => {
  for (const golden of httpCorpus) {
    test(`${golden.what}: its fields`, () => assert.deepEqual(read(golden.payload), [expected(golden)]))

    test(`${golden.what}: cut at every byte`, () => {
      for (let cut = 1; cut < golden.payload.length; cut++) {
        const bench = new Bench(http())
        const early = read(golden.payload.subarray(0, cut), bench)
        assert.deepEqual([...early, ...read(golden.payload.subarray(cut), bench)], [expected(golden)], `cut at ${cut}`)
      }
    })
  }

  test('byte by byte, requests and responses by turns', () => {
    const bench = new Bench(http())
    const all = Buffer.concat(httpCorpus.map((golden) => golden.payload))
    const seen: Seen[] = []
    for (let i = 0; i < all.length; i++) seen.push(...read(all.subarray(i, i + 1), bench))
    assert.deepEqual(seen, httpCorpus.map(expected))
  })

  test('a target in UTF-8 that is not percent-encoded, as Go writes it', () => {
    const target = (text: string): unknown[] =>
      read(Buffer.from(`POST ${text} HTTP/1.1\r\nX-Seq: 1\r\n\r\n`)).map(({ method, meta }) => [method, meta])
    assert.deepEqual(target('/消息/😀'), [['/消息/😀', '']])
    assert.deepEqual(target('/消息%20é/%C3%A9?ü=ä+%C3%A4'), [['/消息 é/é', { ü: 'ä ä' }]])
  })

  test('such targets many times, what follows them left as it is, whole and byte by byte', () => {
    const chunked = Buffer.from('POST /é HTTP/1.1\r\nName: ü\r\nX-Seq: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nä\r\n0\r\n\r\n')
    const all = Buffer.concat([chunked, httpCorpus[0].payload, chunked])
    const one: Seen = { type: 1, seq: 1, method: '/é', status: '', meta: { name: 'ü' }, codec: 0, body: 'ä' }
    assert.deepEqual(read(all), [one, expected(httpCorpus[0]), one])
    const bench = new Bench(http())
    const seen: Seen[] = []
    for (let at = 0; at < all.length; at++) seen.push(...read(all.subarray(at, at + 1), bench))
    assert.deepEqual(seen, [one, expected(httpCorpus[0]), one])
  })

  test('bytes beyond ASCII elsewhere in a request line, or that are no UTF-8, are refused', () => {
    for (const line of ['P\xd6ST / HTTP/1.1', 'POST / HTTP/1.1\xe9', 'POST / HTTP/\xe9.1', 'POST /\xe9 HTTP/1.1', 'POST /?a=\xe9 HTTP/1.1'])
      assert.throws(() => read(Buffer.from(`${line}\r\nX-Seq: 1\r\n\r\n`, 'latin1')), /http|not UTF-8/i, line)
  })

  test('many messages in one chunk, larger than the window of the parser', () => {
    const times = 300
    const all = Buffer.concat(Array.from({ length: times }, () => httpCorpus.map((golden) => golden.payload)).flat())
    assert.ok(all.length > 3 * 65_536)
    assert.deepEqual(read(all), Array.from({ length: times }, () => httpCorpus.map(expected)).flat())
  })

  test('connections that take turns in the middle of a message', () => {
    const benches = [new Bench(http()), new Bench(http()), new Bench(http())]
    const { payload } = httpCorpus[0]
    const seen: Seen[] = []
    for (let i = 0; i < payload.length; i += 3) for (const bench of benches) seen.push(...read(payload.subarray(i, i + 3), bench))
    assert.deepEqual(seen, Array(3).fill(expected(httpCorpus[0])))
  })

  test('a head over the window and a body over it', () => {
    const value = 'v'.repeat(60_000)
    const body = 'b'.repeat(200_000)
    const message = Buffer.from(`POST /a HTTP/1.1\r\nBig: ${value}\r\nX-Seq: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    const bench = new Bench(http())
    const seen: Seen[] = []
    for (let at = 0; at < message.length; at += 50_000) seen.push(...read(message.subarray(at, at + 50_000), bench))
    assert.deepEqual(seen, [{ type: 1, seq: 1, method: '/a', status: '', meta: { big: value }, codec: 0, body }])
  })

  test('unfinished only between a head that was used up and the end of its body', () => {
    const bench = new Bench(http())
    read(Buffer.from('POST /a HTTP/1.1\r\nX-Seq: 1\r\nContent-Length: 3\r\n\r\n1'), bench)
    assert.equal(bench.session.unfinished, true)
    read(Buffer.from('23'), bench)
    assert.equal(bench.session.unfinished, false)
  })

  test('gzip: the body is left as it came and named', () => {
    const message = new Incoming()
    const { payload } = httpCorpus[3]
    new Bench(http()).session.unpack(payload, 0, payload.length, message)
    assert.deepEqual(message.bodyFilters, ['gzip'])
    assert.equal(gunzipSync(message.buffer.subarray(message.bodyStart, message.bodyEnd)).toString(), '[1,2,3,4,5]')
  })

  test('a push of a peer of ours or of Go', () => {
    assert.equal(read(Buffer.from('POST /p HTTP/1.1\r\nX-MType: 3\r\nX-Seq: 9\r\n\r\n'))[0].type, 3)
  })
})

describe('writing', () => {
  const call = { type: 1, seq: 1, method: '/math/add', codec: 106, body: '[1]' }

  test('a CALL', () => {
    assert.equal(
      new Bench(http()).pack({ ...call, metaText: '{"author":"osgochina"}' }).toString(),
      'POST /math/add HTTP/1.1\r\nAccept-Encoding: gzip\r\nContent-Type: application/json;charset=utf-8\r\n' +
        'User-Agent: drpc-httpproto/1.1\r\nX-MType: 1\r\nauthor: osgochina\r\nContent-Length: 3\r\nX-Seq: 1\r\n\r\n[1]',
    )
  })

  test('a REPLY, and one that failed', () => {
    const bench = new Bench(http())
    assert.equal(
      bench.pack({ type: 2, seq: 1, codec: 106, body: '15' }).toString(),
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json;charset=utf-8\r\nX-MType: 2\r\nX-Seq: 1\r\n\r\n15',
    )
    assert.equal(
      bench.pack({ type: 2, seq: 1, statusText: '{"code":404,"msg":"Not Found","cause":"ä"}' }).toString(),
      'HTTP/1.1 299 Business Error\r\nContent-Length: 43\r\nContent-Type: application/json\r\nX-MType: 2\r\nX-Seq: 1\r\n\r\n' +
        '{"code":404,"msg":"Not Found","cause":"ä"}',
    )
  })

  test('what is written is read', () => {
    const fields = { type: 1, seq: -3, method: '/ä b%41#', codec: 112, body: Buffer.from([0, 255]), metaText: '{"K":"ü","hb_":"1"}' }
    const [seen] = read(new Bench(http()).pack(fields))
    assert.deepEqual(seen, { type: 1, seq: -3, method: '/ä b%41#', status: '', meta: { k: 'ü', hb_: '1' }, codec: 112, body: '\0\ufffd' })
  })

  test('a query in the service method is meta', () => {
    assert.deepEqual(read(new Bench(http()).pack({ ...call, method: '/a?x=1&y=%20' }))[0].meta, { x: '1', y: ' ' })
  })

  test('gzip is announced as Go wants it, and status never goes through it', () => {
    const body = gzipSync('[1]')
    const bytes = new Bench(http()).pack({ ...call, body, filters: ['gzip'] })
    assert.match(bytes.toString(), /\r\nContent-Encoding: gzip\r\nX-Content-Encoding: gzip\r\n/)
    assert.ok(bytes.subarray(-body.length).equals(body))
  })

  for (const filters of [['gzip', 'gzip'], ['md5']]) {
    test(`filters ${filters} are refused`, () => assert.throws(() => new Bench(http()).pack({ ...call, filters }), TypeError))
  }

  test('a PUSH, a method without a slash and a codec without a media type are refused', () => {
    const bench = new Bench(http())
    assert.throws(() => bench.pack({ ...call, type: 3 }), /unsupport message type: 3\(PUSH\)/)
    assert.throws(() => bench.pack({ ...call, method: 'Math.Add' }), /does not begin with '\/'/)
    assert.throws(() => bench.pack({ ...call, codec: 200 }), /no content type for codec id 200/)
  })

  test('further media types', () => {
    const bench = new Bench(http({ contentTypes: { 'application/x-thing': 200 } }))
    const bytes = bench.pack({ ...call, codec: 200 })
    assert.match(bytes.toString(), /Content-Type: application\/x-thing\r\n/)
    assert.equal(read(bytes, bench)[0].codec, 200)
    assert.throws(() => http({ contentTypes: { 'a\r\nb': 200 } }), TypeError)
    assert.throws(() => http({ contentTypes: { 'a/b': 256 } }), RangeError)
  })

  const injections = [
    ['A\r\nB', 'x'],
    ['a b', 'x'],
    ['', 'x'],
    ['ä', 'x'],
    ['a', 'x\r\nContent-Length: 0'],
    ['a', 'x\n'],
    ['a', 'x\0'],
    ['content-LENGTH', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['x-seq', '2'],
    ['Connection', 'close'],
  ]
  for (const [key, value] of injections) {
    test(`meta ${JSON.stringify({ [key]: value })} is refused`, () => {
      const metaText = JSON.stringify({ [key]: value })
      const bench = new Bench(http())
      assert.throws(
        () => bench.pack({ ...call, metaText }),
        (error: Error) => error instanceof TypeError && error.message.includes(JSON.stringify(key)),
      )
      assert.throws(() => bench.pack({ type: 2, seq: 1, codec: 106, body: '1', metaText }), TypeError)
    })
  }

  test('nothing of a message is kept', () => {
    const { session } = new Bench(http())
    const message = Object.assign(new Outgoing(), call)
    const first = String(session.pack(message))
    session.pack(Object.assign(message, { method: '/b', body: '2' }))
    assert.equal(String(session.pack(Object.assign(message, call))), first)
  })
})

describe('responses of other servers', () => {
  const call = { type: 1, method: '/a', codec: 106, body: '1' }

  test('come in the order of our calls; interim ones are passed over', () => {
    const bench = new Bench(http(), { accepted: false })
    bench.pack({ ...call, seq: 4 })
    bench.pack({ ...call, seq: 5 })
    const seen = read(
      Buffer.from(
        'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n7' +
          'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope',
      ),
      bench,
    )
    assert.deepEqual(seen, [
      { type: 2, seq: 4, method: '', status: '', meta: '', codec: 106, body: '7' },
      { type: 2, seq: 5, method: '', status: { code: 404, message: 'Not Found', cause: 'nope' }, meta: '', codec: 0, body: '' },
    ])
    assert.throws(() => read(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), bench), /a response to no call/)
  })

  const failures: [string, unknown][] = [
    ['500 X\r\nContent-Length: 31\r\n\r\n{"code":7,"msg":"m","cause":""}', { code: 7, message: 'm', cause: '' }],
    ['500 X\r\nContent-Length: 13\r\n\r\n{"error":"x"}', { code: 500, message: 'Internal Server Error', cause: '{"error":"x"}' }],
    ['304 X\r\n\r\n', { code: 304, message: 'Not Modified', cause: '' }],
    ['299 X\r\nContent-Length: 0\r\n\r\n', { code: 400, message: 'Bad Message', cause: 'http: unreadable status' }],
    ['299 X\r\nContent-Length: 10\r\n\r\n{"code":0}', { code: 400, message: 'Bad Message', cause: 'http: unreadable status' }],
  ]
  for (const [text, status] of failures) {
    test(`${JSON.stringify(text)} is never OK`, () => {
      const bench = new Bench(http(), { accepted: false })
      bench.pack({ ...call, seq: 1 })
      assert.deepEqual(read(Buffer.from(`HTTP/1.1 ${text}`), bench)[0].status, status)
    })
  }

  test('a status through gzip, and a bomb', () => {
    const answer = (status: string): unknown => {
      const body = gzipSync(status)
      const head = `HTTP/1.1 299 Business Error\r\nX-Content-Encoding: gzip\r\nX-Seq: 1\r\nContent-Length: ${body.length}\r\n\r\n`
      return read(Buffer.concat([Buffer.from(head), body]))[0].status
    }
    assert.deepEqual(answer('{"code":7,"msg":"m","cause":""}'), { code: 7, message: 'm', cause: '' })
    assert.equal((answer(' '.repeat(10_000_000)) as { code: number }).code, 400)
  })
})

test('which connections are HTTP', () => {
  const { match } = http()
  const answers = ['', 'G', 'GET', 'GET ', 'HTTP/', 'HT', 'OPTIONS /', 'GETS', '*1', '\0'].map((text) =>
    match!(Buffer.from(text), {} as never),
  )
  assert.deepEqual(answers, [undefined, undefined, undefined, true, true, undefined, true, false, false, false])
})
