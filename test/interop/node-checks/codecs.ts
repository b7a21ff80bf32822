import assert from 'node:assert/strict'
import { shortDecimal } from '../../../src/codecs/decimal.ts'
import { formCodec } from '../../../src/codecs/form.ts'
import { xmlCodec } from '../../../src/codecs/xml.ts'
import { bytes } from '../../../src/index.ts'
import { BenchmarkMessage, benchmarkValue } from '../../protobuf/messages.ts'
import { type NodeCheck, onlyJson, w1Bytes } from './check.ts'
import { awkward, awkwardXml, formId, mebibyte, protobuf, protobufId, toObject, xmlId } from './values.ts'

/** What protobuf, form and xml can hold. */
export const codecChecks: NodeCheck[] = [
  {
    name: 'calls with protobuf',
    row: 'protobuf in full',
    not: { json: w1Bytes, jsonrpc: onlyJson },
    async run({ session }) {
      const value = { ...benchmarkValue, Field1: awkward, Field16: -(2n ** 63n) }
      for (const arg of [value, BenchmarkMessage.fromObject(value)]) {
        assert.deepEqual(toObject(await session.call('/proto/same', arg, protobuf)), value)
        assert.deepEqual(toObject(await session.call('/proto/echo', arg, protobuf)), { ...value, Field1: 'OK' })
      }
      const long = { Field4: mebibyte, Field5: ['', 'x'] }
      assert.deepEqual(toObject(await session.call('/proto/same', long, protobuf)), long)
    },
  },
  {
    name: 'calls with protobuf and no bytes',
    row: 'protobuf in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      for (const arg of [undefined, null, {}]) {
        const reply = await session.callReply('/proto/same', arg, protobuf)
        assert.deepEqual([toObject(reply.body), reply.codec], [{}, protobufId])
      }
    },
  },
  {
    name: 'rejects with 400 for protobuf Go cannot decode, and goes on',
    row: 'protobuf in full',
    not: { json: w1Bytes, jsonrpc: onlyJson },
    async run({ session }) {
      await assert.rejects(session.call('/proto/same', Buffer.from('08ff', 'hex'), protobuf), { name: 'StatusError', code: 400 })
      assert.deepEqual(toObject(await session.call('/proto/same', { Field5: ['a\ud800'] }, protobuf)), { Field5: ['a\ufffd'] })
    },
  },
  {
    name: 'calls with form',
    row: 'form in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      const values = { b: ['2', '1', '3'], 'a key': awkward, '': '', '&=+%;': ['&=+%;', ' '], ['__proto__']: 'x' }
      const reply = await session.callReply<object>('/form/values', values, { codec: 'form' })
      assert.deepEqual([{ ...reply.body }, reply.codec], [values, formId])
      assert.deepEqual(await session.call('/form/values', {}, { codec: 'form' }), undefined)
    },
  },
  {
    name: 'calls with form and a struct, whose lists Go turns round',
    row: 'form in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      const person = { name: awkward, age: -42, score: 1e-7, admin: true, tags: ['a', 'b', 'c'] }
      const expected = { name: awkward, age: '-42', score: '0.0000001', admin: 'true', tags: ['c', 'b', 'a'] }
      assert.deepEqual({ ...(await session.call<object>('/form/person', person, { codec: 'form' })) }, expected)
    },
  },
  {
    name: 'rejects with 400 for a form Go cannot decode',
    row: 'form in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      for (const body of ['a=%zz', 'a=1;b=2']) {
        await assert.rejects(session.call('/form/values', Buffer.from(body), { codec: 'form' }), { name: 'StatusError', code: 400 })
      }
    },
  },
  {
    name: 'calls with xml',
    row: 'xml in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
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
    },
  },
  {
    name: 'calls with xml and bare values',
    row: 'xml in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      const values: [string, unknown[]][] = [
        ['/echo/text', [awkwardXml, '', ' ']],
        ['/xml/int', [0, -5, 2 ** 53 - 1, 2n ** 63n - 1n, -(2n ** 63n)]],
        ['/xml/float', [0.5, 2, 1e6, 1234567.5, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, -Infinity]],
        ['/xml/bool', [true, false]],
      ]
      for (const [route, each] of values) {
        for (const value of each) assert.equal(await session.call(route, value, { codec: 'xml' }), value)
      }
    },
  },
  {
    name: 'writes xml and form as Go does, byte for byte',
    row: 'xml in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
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
    },
  },
  {
    name: 'rejects with 400 for xml Go cannot decode',
    row: 'xml in full',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      await assert.rejects(session.call('/xml/order', Buffer.from('<order><item></order>'), { codec: 'xml' }), { code: 400 })
    },
  },
]
