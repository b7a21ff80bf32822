import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Incoming } from '../../../src/message/message.ts'
import { type HttpOptions, http } from '../../../src/protos/http.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { Bench } from '../../support/protos.ts'

const json = 'Content-Type: application/json'
const form = 'Content-Type: application/x-www-form-urlencoded'
const text = 'Content-Type: text/plain;charset=UTF-8'
const multipart = 'Content-Type: multipart/form-data; boundary=x'
const evil = 'Origin: https://evil.example'
const good = 'Origin: https://good.example'

/** 'call', 'safe call', or the status line of what answers in its place, and its Allow. */
function outcome(options: HttpOptions, lines: string, more = ''): string {
  const bench = new Bench(http(options))
  const bytes = Buffer.from(`${`${lines}\nHost: h\nContent-Length: ${more.length}`.replaceAll('\n', '\r\n')}\r\n\r\n${more}`)
  const message = new Incoming()
  const used = bench.session.unpack(bytes, 0, bytes.length, message)
  assert.equal(used, bytes.length)
  if (message.type !== 0) return message.safeOnly ? 'safe call' : 'call'
  // The connection goes on.
  const next = Buffer.from(`POST /next HTTP/1.1\r\nHost: h\r\n${json}\r\n\r\n`)
  bench.session.unpack(next, 0, next.length, message)
  assert.equal(message.method, '/next')
  const [head, ...body] = String(bench.written[0]).split('\r\n\r\n')
  assert.equal(body.length, 1)
  const length = /Content-Length: (\d+)/.exec(head)?.[1] ?? '0'
  assert.equal(body[0].length, lines.startsWith('HEAD') ? 0 : Number(length))
  assert.match(head, /\r\nDate: /)
  return `${head.slice(9, 12)} ${/Allow: (.*)/.exec(head)?.[1] ?? ''}`.trim()
}

const all = '405 GET, HEAD, OPTIONS, POST'

describe('by default', () => {
  const rows: [lines: string, expected: string][] = [
    [`POST /a HTTP/1.1\n${json}`, 'call'],
    ['POST /a HTTP/1.1\nContent-Type: Application/JSON ; charset=utf-8', 'call'],
    ['POST /a HTTP/1.1\nContent-Type: application/vnd.api+json', 'call'],
    ['POST /a HTTP/1.1\nContent-Type: text/xml;charset=utf-8', 'call'],
    ['POST /a HTTP/1.1\nContent-Type: image/png', 'call'],
    ['POST /a HTTP/1.1', '415'],
    ['POST /a HTTP/1.1\nContent-Type:', '415'],
    ['POST /a HTTP/1.1\nContent-Type: \t', '415'],
    ['POST /a HTTP/1.1\nContent-Type: ;charset=utf-8', '415'],
    [`POST /a HTTP/1.1\n${json}\nContent-Type:`, 'call'],
    [`POST /a HTTP/1.1\n${text}\nContent-Type:`, '415'],
    [`POST /a HTTP/1.1\n${form}`, '415'],
    [`POST /a HTTP/1.1\n${text}`, '415'],
    [`POST /a HTTP/1.1\n${multipart}`, '415'],
    ['POST /a HTTP/1.1\nContent-Type: TEXT/PLAIN\t;x', '415'],
    [`POST /a HTTP/1.1\n${json}\n${text}`, '415'],
    [`POST /a HTTP/1.1\n${text}\n${json}`, '415'],
    ['GET /a HTTP/1.1', 'safe call'],
    ['HEAD /a HTTP/1.1', 'safe call'],
    ['GET /a HTTP/1.0', 'safe call'],
    ['PUT /a HTTP/1.1', all],
    ['DELETE /a HTTP/1.1', all],
    ['PATCH /a HTTP/1.1', all],
    ['TRACE /a HTTP/1.1', all],
    ['PROPFIND /a HTTP/1.1', all],
    ['OPTIONS /a HTTP/1.1', '204 GET, HEAD, OPTIONS, POST'],
    ['OPTIONS * HTTP/1.1', '204 GET, HEAD, OPTIONS, POST'],
    [`OPTIONS /a HTTP/1.1\n${evil}\nAccess-Control-Request-Method: POST`, '204 GET, HEAD, OPTIONS, POST'],
    // Pages of others, however their browsers say it.
    [`POST /a HTTP/1.1\n${json}\n${evil}`, '403'],
    [`POST /a HTTP/1.1\n${json}\nOrigin: null`, '403'],
    [`POST /a HTTP/1.1\n${json}\nSec-Fetch-Site: cross-site`, '403'],
    [`POST /a HTTP/1.1\n${json}\nSec-Fetch-Site: same-site`, '403'],
    [`POST /a HTTP/1.1\n${json}\nSec-Fetch-Site: same-origin\nSec-Fetch-Site: cross-site`, '403'],
    [`POST /a HTTP/1.1\n${text}\n${evil}`, '403'],
    [`GET /a HTTP/1.1\n${evil}`, '403'],
    [`HEAD /a HTTP/1.1\n${evil}`, '403'],
    ['GET /a HTTP/1.1\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate', '403'],
    [`PUT /a HTTP/1.1\n${evil}`, '403'],
    // A name of theirs may lead here: what is of the same host by name alone is theirs.
    [`POST /a HTTP/1.1\n${json}\nOrigin: http://h`, '403'],
    // Our own, as only a browser can say it.
    [`POST /a HTTP/1.1\n${json}\nSec-Fetch-Site: same-origin\nOrigin: https://h`, 'call'],
    [`POST /a HTTP/1.1\n${form}\nSec-Fetch-Site: same-origin\nOrigin: https://h`, 'call'],
    ['GET /a HTTP/1.1\nSec-Fetch-Site: none', 'safe call'],
    ['GET /a HTTP/1.1\nSec-Fetch-Mode: cors', 'safe call'],
    // DMicro's own form, with a header for which browsers ask first.
    ['POST /a HTTP/1.1\nX-Seq: 1', 'call'],
    [`POST /a HTTP/1.1\nX-Seq: 1\n${form}`, 'call'],
    [`POST /a HTTP/1.1\nX-Seq: 1\n${text}`, 'call'],
    [`POST /a HTTP/1.1\nX-Seq: 1\n${json}\n${evil}`, '403'],
    ['GET /a HTTP/1.1\nX-Seq: 1', 'safe call'],
    ['PUT /a HTTP/1.1\nX-Seq: 1', all],
  ]
  for (const [lines, expected] of rows) {
    test(`${JSON.stringify(lines)}: ${expected}`, () => {
      assert.equal(outcome({}, lines), expected)
      if (!/^(GET|HEAD|TRACE)/.test(lines)) assert.equal(outcome({}, lines, '12345'), expected)
    })
  }

  test('what is refused says why, and names the type', () => {
    const bench = new Bench(http())
    bench.feed(Buffer.from(`POST /a HTTP/1.1\r\nHost: h\r\n${text}\r\nContent-Length: 1\r\n\r\n1`))
    assert.match(
      String(bench.written[0]),
      /"cause":"text\/plain is what any web page can send: name another type, such as application\/json"/,
    )
  })

  test('answers in place of a handler come in order, and no body is asked for', () => {
    const bench = new Bench(http())
    const ask = (lines: string, body = ''): number =>
      bench.feed(Buffer.from(`${lines.replaceAll('\n', '\r\n')}\r\nHost: h\r\n\r\n${body}`)).length
    assert.equal(ask('GET /slow HTTP/1.1'), 1)
    assert.equal(ask(`POST /a HTTP/1.1\n${text}\nContent-Length: 1`, '1'), 0)
    assert.equal(ask(`POST /b HTTP/1.1\n${json}\nContent-Length: 1`, '1'), 1)
    assert.deepEqual(bench.written, [])
    const pack = (index: number): string => bench.pack({ type: 2, seq: 2 ** 32 + index, codec: 106, body: `${index}` }).toString()
    assert.equal(pack(2), '')
    assert.deepEqual(pack(0).match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 415', 'HTTP/1.1 200'])
    assert.throws(
      () => ask(`POST /a HTTP/1.1\n${text}\nExpect: 100-continue\nContent-Length: 1`),
      (error) => error instanceof ProtoError && /^HTTP\/1.1 415 [\s\S]*Connection: close\r\n/.test(error.finalResponse),
    )
    assert.deepEqual(bench.written, [])
  })

  test('a 405 for a route with effects names the methods it has', () => {
    const bench = new Bench(http())
    bench.feed(Buffer.from('GET /a HTTP/1.1\r\nHost: h\r\n\r\n'))
    const statusText = '{"code":405,"msg":"Method Not Allowed","cause":""}'
    assert.match(bench.pack({ type: 2, seq: 2 ** 32, statusText }).toString(), /^HTTP\/1.1 405 [\s\S]*\r\nAllow: OPTIONS, POST\r\n/)
  })
})

describe('with cors', () => {
  const list = { cors: ['https://good.example'] }
  const rows: [options: HttpOptions, lines: string, expected: string][] = [
    [list, `POST /a HTTP/1.1\n${json}\n${good}\nSec-Fetch-Site: cross-site`, 'call'],
    [list, `POST /a HTTP/1.1\n${text}\n${good}`, 'call'],
    [list, `GET /a HTTP/1.1\n${good}\nSec-Fetch-Site: cross-site`, 'safe call'],
    [list, `POST /a HTTP/1.1\n${json}\n${evil}`, '403'],
    [list, `POST /a HTTP/1.1\n${json}\n${good}\n${evil}`, '403'],
    [list, 'GET /a HTTP/1.1\nSec-Fetch-Site: cross-site', '403'],
    [list, `POST /a HTTP/1.1\n${text}`, '415'],
    [{ cors: '*' }, `POST /a HTTP/1.1\n${json}\n${evil}\nSec-Fetch-Site: cross-site`, 'call'],
    [{ cors: '*' }, `GET /a HTTP/1.1\n${evil}`, 'safe call'],
    [{ cors: '*' }, 'GET /a HTTP/1.1\nSec-Fetch-Site: cross-site', 'safe call'],
    // Such a request takes the user's cookies along.
    [{ cors: '*' }, `POST /a HTTP/1.1\n${text}\n${evil}`, '415'],
  ]
  for (const [options, lines, expected] of rows)
    test(`${JSON.stringify(options)}, ${JSON.stringify(lines)}: ${expected}`, () => assert.equal(outcome(options, lines), expected))
})

describe("with pages: 'any'", () => {
  for (const lines of [
    'GET /a HTTP/1.1',
    'TRACE /a HTTP/1.1',
    'OPTIONS /a HTTP/1.1',
    'DELETE /a HTTP/1.1',
    'POST /a HTTP/1.1',
    `POST /a HTTP/1.1\n${text}\n${evil}\nSec-Fetch-Site: cross-site`,
    `OPTIONS /a HTTP/1.1\n${evil}\nAccess-Control-Request-Method: POST`,
  ])
    test(`${JSON.stringify(lines)} is a call`, () => assert.equal(outcome({ pages: 'any' }, lines), 'call'))

  test('a preflight request is answered where cors is set', () => {
    assert.match(outcome({ pages: 'any', cors: '*' }, `OPTIONS /a HTTP/1.1\n${evil}\nAccess-Control-Request-Method: POST`), /^204/)
  })
})

test('idleTimeout is told in whole seconds, and not where it is less than one', () => {
  for (const [idleTimeout, told] of [[0, undefined], [200, undefined], [999, undefined], [1000, '1'], [1999, '1'], [75_000, '75']] as const) {
    const bench = new Bench(http({ idleTimeout }))
    bench.feed(Buffer.from('OPTIONS /a HTTP/1.1\r\nHost: h\r\n\r\n'))
    assert.equal(/Keep-Alive: timeout=(\d+)/.exec(String(bench.written[0]))?.[1], told, `${idleTimeout}`)
  }
}) // biome-ignore format: one line

test('options', () => {
  assert.throws(() => http({ pages: 'none' as never }), /option pages must be 'cors' or 'any', got "none"/)
  assert.throws(() => http({ host: 1 as never }), TypeError)
  for (const idleTimeout of [-1, Number.NaN, 2 ** 31]) assert.throws(() => http({ idleTimeout }), RangeError)
})
