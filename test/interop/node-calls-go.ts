import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { shortDecimal } from '../../src/codecs/decimal.ts'
import { formCodec } from '../../src/codecs/form.ts'
import { xmlCodec } from '../../src/codecs/xml.ts'
import { bytes, Endpoint, insecureAes, type Session, StatusError } from '../../src/index.ts'
import { BenchmarkMessage, benchmarkValue } from '../protobuf/messages.ts'
import { aesKey, type Notebook, offerClientRoutes } from './routes.ts'

/** Codec ids on the wire. */
const jsonId = 0x6a
const plainId = 0x73
const protobufId = 0x70
const formId = 0x66
const xmlId = 0x78

const protobuf = { codec: 'protobuf', arg: BenchmarkMessage, result: BenchmarkMessage } as const
const toObject = (message: object): object => BenchmarkMessage.toObject(message as never, { longs: BigInt })

/** Lists of transfer filters, outermost first, as `go/checks_filter.go` has them. */
const pipes = ['gzip', 'md5', 'aes', 'gzip md5', 'md5 gzip', 'gzip aes', 'aes gzip', 'md5 aes', 'gzip gzip', 'gzip md5 aes gzip']

/** What encoders like to escape, drop or split. */
const awkward = 'héllo 世界 😀 <b>&</b> "quoted" back\\slash \n\t\x1b[31m \u00a0\u2028\ufeff'

/** ESC is nothing XML could hold. */
const awkwardXml = awkward.replace('\x1b', ']]>')

/** Exactly 1 MiB of UTF-8 that mixes one-byte and three-byte characters, so that some character straddles every buffer edge. */
const mebibyte = (() => {
  const unit = '0123456789 abc 世界\n'
  const units = Math.floor(2 ** 20 / Buffer.byteLength(unit))
  return unit.repeat(units) + '.'.repeat(2 ** 20 - units * Buffer.byteLength(unit))
})()

/** Registers one test for each thing a Node client must be able to do with a Go server. One session serves them all. */
export function nodeCallsGo(transport: 'native' | 'js', url: () => string): void {
  let client: Endpoint
  let session: Session
  let pushed: Notebook

  before(async () => {
    client = new Endpoint({ transport, timeout: 10_000, log: false, filters: [insecureAes(aesKey)] })
    assert.equal(client.transport.kind, transport)
    pushed = offerClientRoutes(client)
    session = await client.dial(url())
  })
  after(async () => {
    await session.close()
    await client.close()
  })

  it('calls with json', async () => {
    assert.equal(await session.call<number>('/math/add', [1, 2, 3, 4, 5]), 15)
  })

  it('returns a nested value unchanged', async () => {
    const value = { text: awkward, list: [1.5, true, null, 'x', -0.1, 1e21], map: { '': 'empty key', __proto__x: 1 } }
    assert.deepEqual(await session.call('/echo/any', value), value)
  })

  it('returns awkward text unchanged', async () => {
    assert.equal(await session.call('/echo/text', awkward), awkward)
  })

  it('calls with plain', async () => {
    const reply = await session.callReply('/echo/text', awkward, { codec: 'plain' })
    assert.equal(reply.body, awkward)
    assert.equal(reply.codec, plainId)
  })

  it('calls with protobuf', async () => {
    const value = { ...benchmarkValue, Field1: awkward, Field16: -(2n ** 63n) }
    for (const arg of [value, BenchmarkMessage.fromObject(value)]) {
      assert.deepEqual(toObject(await session.call('/proto/same', arg, protobuf)), value)
      assert.deepEqual(toObject(await session.call('/proto/echo', arg, protobuf)), { ...value, Field1: 'OK' })
    }
    const long = { Field4: mebibyte, Field5: ['', 'x'] }
    assert.deepEqual(toObject(await session.call('/proto/same', long, protobuf)), long)
  })

  it('calls with protobuf and no bytes', async () => {
    for (const arg of [undefined, null, {}]) {
      const reply = await session.callReply('/proto/same', arg, protobuf)
      assert.deepEqual([toObject(reply.body), reply.codec], [{}, protobufId])
    }
  })

  it('rejects with 400 for protobuf Go cannot decode, and goes on', async () => {
    await assert.rejects(session.call('/proto/same', Buffer.from('08ff', 'hex'), protobuf), { name: 'StatusError', code: 400 })
    assert.deepEqual(toObject(await session.call('/proto/same', { Field5: ['a\ud800'] }, protobuf)), { Field5: ['a\ufffd'] })
  })

  it('calls with form', async () => {
    const values = { b: ['2', '1', '3'], 'a key': awkward, '': '', '&=+%;': ['&=+%;', ' '], ['__proto__']: 'x' }
    const reply = await session.callReply<object>('/form/values', values, { codec: 'form' })
    assert.deepEqual([{ ...reply.body }, reply.codec], [values, formId])
    assert.deepEqual(await session.call('/form/values', {}, { codec: 'form' }), undefined)
  })

  it('calls with form and a struct, whose lists Go turns round', async () => {
    const person = { name: awkward, age: -42, score: 1e-7, admin: true, tags: ['a', 'b', 'c'] }
    const expected = { name: awkward, age: '-42', score: '0.0000001', admin: 'true', tags: ['c', 'b', 'a'] }
    assert.deepEqual({ ...(await session.call<object>('/form/person', person, { codec: 'form' })) }, expected)
  })

  it('rejects with 400 for a form Go cannot decode', async () => {
    for (const body of ['a=%zz', 'a=1;b=2']) {
      await assert.rejects(session.call('/form/values', Buffer.from(body), { codec: 'form' }), { name: 'StatusError', code: 400 })
    }
  })

  it('calls with xml', async () => {
    const order = {
      '@id': -7,
      item: [{ '@price': 0.5, '#text': awkwardXml }, { '@price': 1e21, '#text': 'tea' }, { '@price': 1e-7 }],
      to: { note: awkwardXml },
      paid: true,
    }
    const text = (price: string, name?: string) => ({ '@price': price, ...(name === undefined ? {} : { '#text': name }) })
    const items = [text('0.5', awkwardXml), text('1e+21', 'tea'), text('1e-07')]
    const reply = await session.callReply<object>('/xml/order', { order }, { codec: 'xml' })
    const expected = { order: { '@id': '-7', item: items, to: { note: awkwardXml }, paid: 'true' } }
    assert.deepEqual([structuredClone(reply.body), reply.codec], [expected, xmlId])
  })

  it('calls with xml and bare values', async () => {
    const values: [string, unknown[]][] = [
      ['/echo/text', [awkwardXml, '', ' ']],
      ['/xml/int', [0, -5, 2 ** 53 - 1, 2n ** 63n - 1n, -(2n ** 63n)]],
      ['/xml/float', [0.5, 2, 1e6, 1234567.5, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, -Infinity]],
      ['/xml/bool', [true, false]],
    ]
    for (const [route, each] of values) {
      for (const value of each) assert.equal(await session.call(route, value, { codec: 'xml' }), value)
    }
  })

  it('writes xml and form as Go does, byte for byte', async () => {
    const order = { '@id': 7, item: { '@price': 0.1, '#text': awkwardXml }, to: { note: '' }, paid: false }
    const xml = await session.call('/xml/order', { order }, { codec: 'xml', result: bytes })
    assert.equal(String(Buffer.from(xml)), xmlCodec.encode({ order }))
    for (const value of [0.1, 1e6, 123456.75, 1234567.5, 1e21, 1e-4, 1e-5, 1.5e-7, 5e-324, Number.MAX_VALUE, -0]) {
      const body = await session.call('/xml/float', value, { codec: 'xml', result: bytes })
      assert.equal(String(Buffer.from(body)), `<float64>${shortDecimal(value)}</float64>`)
    }
    const values = { z: awkward, b: ['2', '1'], 'ключ😀': "-_.~!*'() /?", '\uff5e': '' }
    const form = await session.call('/form/values', values, { codec: 'form', result: bytes })
    assert.equal(String(Buffer.from(form)), formCodec.encode(values))
  })

  it('rejects with 400 for xml Go cannot decode', async () => {
    await assert.rejects(session.call('/xml/order', Buffer.from('<order><item></order>'), { codec: 'xml' }), { code: 400 })
  })

  it('takes any reply as bytes', async () => {
    const body = Buffer.from([0, 255, 128, 10])
    assert.deepEqual(await session.call('/echo/bytes', body, { result: bytes }), new Uint8Array(body))
    assert.deepEqual(await session.call('/echo/any', null, { result: bytes }), new Uint8Array())
  })

  it('calls without an argument', async () => {
    assert.equal(await session.call('/math/add'), 0)
  })

  it('takes an empty reply', async () => {
    const reply = await session.callReply('/echo/any')
    assert.equal(reply.body, undefined)
    assert.equal(reply.codec, jsonId)
  })

  it('rejects with status 1001, its message and its cause', async () => {
    await fails('/status/fail', { code: 1001, msg: 'refused', cause: 'because' }, 1001, 'refused', 'because')
  })

  it('reads a status in Go quoting, which is not always JSON', async () => {
    const msg = `${awkward} \x00\x01\x07\x08\x0b\x0c\x7f \u0085\u200b\u2029 ${String.fromCodePoint(0xe0001, 0x10ffff)}`
    await fails('/status/fail', { code: 1002, msg, cause: `${msg}","cause":"x"}` }, 1002, msg, `${msg}","cause":"x"}`)
  })

  it('reads the text of a panic in Go quoting', async () => {
    await fails('/status/panic', awkward, 500, 'Internal Server Error', awkward)
  })

  it('rejects with the lowest and the highest code', async () => {
    await fails('/status/fail', { code: -2147483648, msg: 'lowest', cause: '' }, -2147483648, 'lowest', '')
    await fails('/status/fail', { code: 2147483647, msg: 'highest', cause: '' }, 2147483647, 'highest', '')
  })

  it('rejects with 404 for an unknown route', async () => {
    await fails('/no/such/route', 'x', 404, 'Not Found', '')
  })

  it('rejects with 400 for an argument Go cannot decode', async () => {
    await fails('/math/add', 'no list', 400, 'Bad Message', 'json: cannot unmarshal string into Go value of type []int')
  })

  it('rejects with 400 when the reply does not decode, and goes on', async () => {
    await assert.rejects(session.call('/echo/bytes', Buffer.from('{"cut":')), { name: 'StatusError', code: 400 })
    assert.equal(await session.call('/math/add', [1]), 1)
  })

  it('sends meta and reads meta of the reply', async () => {
    const meta = { author: 'osgochina', text: awkward, 'ключ<&>': '' }
    const reply = await session.callReply('/meta/echo', { from: 'server', text: awkward }, { meta })
    assert.deepEqual(reply.body, meta)
    assert.deepEqual({ ...reply.meta }, { 'echo-count': '3', from: 'server', text: awkward })
  })

  it('gets the codec it accepts', async () => {
    const plain = await session.callReply('/echo/text', 'text', { acceptCodec: 'plain' })
    assert.deepEqual([plain.body, plain.codec], ['text', plainId])
    const json = await session.callReply('/echo/text', 'text', { codec: 'plain', acceptCodec: 'json' })
    assert.deepEqual([json.body, json.codec], ['text', jsonId])
  })

  it('pushes, and reads back what it pushed', async () => {
    const before = await session.call<string[]>('/note/list', 0)
    const notes = [`first ${awkward}`, 'second', 'third']
    for (const note of notes) await session.push('/note', note)
    const all = await session.call<string[]>('/note/list', before.length + notes.length)
    assert.deepEqual(all.slice(before.length).sort(), notes.sort())
  })

  it('calls and pushes through filters, in small and in large', async () => {
    const before = await session.call<string[]>('/note/list', 0)
    for (const pipe of pipes) {
      const filters = pipe.split(' ')
      assert.equal(await session.call('/math/add', [1, 2, 3], { filters }), 6, pipe)
      assert.ok((await session.call('/echo/text', mebibyte, { filters })) === mebibyte, pipe)
      await session.push('/note', awkward, { filters })
    }
    const all = await session.call<string[]>('/note/list', before.length + pipes.length)
    assert.deepEqual(all.slice(before.length), Array(pipes.length).fill(awkward))
  })

  it('reads an error that comes through filters', async () => {
    await fails('/status/fail', { code: 1001, msg: 'refused', cause: 'because' }, 1001, 'refused', 'because', ['aes', 'gzip'])
    await fails('/no/such/route', 'x', 404, 'Not Found', '', ['md5', 'aes'])
  })

  it('survives a push nobody takes', async () => {
    await session.push('/no/such/route', 'x')
    assert.equal(await session.call('/math/add', [1, 1]), 2)
  })

  it('is called back', async () => {
    assert.equal(await session.call('/call/back', 21), 42)
  })

  it('is pushed back', async () => {
    const before = pushed.length
    assert.equal(await session.call('/push/back', 3), 3)
    const all = await pushed.atLeast(before + 3)
    assert.deepEqual(all.slice(before).sort(), ['note 1', 'note 2', 'note 3'])
  })

  it('keeps 300 calls in flight apart', async () => {
    const sums = await Promise.all(Array.from({ length: 300 }, (_, i) => session.call<number>('/math/add', [i, 1000])))
    assert.deepEqual(
      sums,
      Array.from({ length: 300 }, (_, i) => i + 1000),
    )
  })

  it('keeps 300 calls apart that each call back', async () => {
    const doubled = await Promise.all(Array.from({ length: 300 }, (_, i) => session.call<number>('/call/back', i)))
    assert.deepEqual(
      doubled,
      Array.from({ length: 300 }, (_, i) => 2 * i),
    )
  })

  it('calls 200 times, one after another', async () => {
    for (let i = 0; i < 200; i++) assert.equal(await session.call('/math/add', [i, i]), 2 * i)
  })

  it('lets a quick reply overtake a waiting one', async () => {
    const before = await session.call<string[]>('/note/list', 0)
    const waiting = session.call<string[]>('/note/list', before.length + 1)
    assert.equal(await session.call('/math/add', [2, 2]), 4)
    await session.push('/note', 'go on')
    assert.equal((await waiting).length, before.length + 1)
  })

  it('carries 1 MiB of json text both ways', async () => {
    assert.equal(same(await session.call<string>('/echo/text', mebibyte), mebibyte), true)
  })

  it('carries 1 MiB of raw bytes both ways', async () => {
    const reply = await session.call<string>('/echo/bytes', Buffer.from(mebibyte), { codec: 'plain' })
    assert.equal(same(reply, mebibyte), true)
  })

  it('gives up at its timeout and ignores the late reply', async () => {
    await assert.rejects(session.call('/slow', 50, { timeout: 5 }), { name: 'StatusError', code: 408 })
    // Go answers the second call after the first, so the late reply has passed by then.
    assert.equal(await session.call('/slow', 100), 100)
  })

  it('gives up when its signal fires and ignores the late reply', async () => {
    const before = await session.call<string[]>('/note/list', 0)
    const abort = new AbortController()
    const call = session.call('/note/list', before.length + 1, { signal: abort.signal })
    abort.abort()
    await assert.rejects(call, { name: 'StatusError', code: 499 })
    await session.push('/note', 'now Go answers the call nobody waits for')
    assert.equal((await session.call<string[]>('/note/list', before.length + 1)).length, before.length + 1)
  })

  async function fails(method: string, arg: unknown, code: number, message: string, cause: string, filters: string[] = []): Promise<void> {
    await assert.rejects(session.call(method, arg, { filters }), (error) => {
      assert.ok(error instanceof StatusError)
      assert.deepEqual([error.code, error.message, error.cause], [code, message, cause])
      return true
    })
  }
}

/** Compares long texts without printing them. */
function same(got: string, want: string): boolean {
  return got === want
}
