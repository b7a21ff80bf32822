import assert from 'node:assert/strict'
import { bytes } from '../../../src/index.ts'
import { type NodeCheck, onlyJson, w1Bytes, w10Bytes } from './check.ts'
import { awkward, jsonId, mebibyte, plainId, same } from './values.ts'

/** Bodies of every shape. */
export const bodyChecks: NodeCheck[] = [
  {
    name: 'calls with json',
    row: 'json',
    async run({ session }) {
      assert.equal(await session.call<number>('/math/add', [1, 2, 3, 4, 5]), 15)
    },
  },
  {
    name: 'returns a nested value unchanged',
    row: 'json, awkward text',
    async run({ session }) {
      const value = { text: awkward, list: [1.5, true, null, 'x', -0.1, 1e21], map: { '': 'empty key', __proto__x: 1 } }
      assert.deepEqual(await session.call('/echo/any', value), value)
    },
  },
  {
    name: 'returns awkward text unchanged',
    row: 'json, awkward text',
    async run({ session }) {
      assert.equal(await session.call('/echo/text', awkward), awkward)
    },
  },
  {
    name: 'calls with plain',
    row: 'plain, awkward text',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      const reply = await session.callReply('/echo/text', awkward, { codec: 'plain' })
      assert.equal(reply.body, awkward)
      assert.equal(reply.codec, plainId)
    },
  },
  {
    name: 'takes any reply as bytes',
    row: 'bytes as they are',
    not: { json: w1Bytes, jsonrpc: w10Bytes },
    async run({ session }) {
      const body = Buffer.from([0, 255, 128, 10])
      assert.deepEqual(await session.call('/echo/bytes', body, { result: bytes }), new Uint8Array(body))
      assert.deepEqual(await session.call('/echo/any', null, { result: bytes }), new Uint8Array())
    },
  },
  {
    name: 'calls without an argument',
    row: 'empty bodies',
    async run({ session }) {
      assert.equal(await session.call('/math/add'), 0)
    },
  },
  {
    name: 'takes an empty reply',
    row: 'empty bodies',
    async run({ session }) {
      const reply = await session.callReply('/echo/any')
      assert.equal(reply.body ?? undefined, undefined) // jsonrpc has only null for it
      assert.equal(reply.codec, jsonId)
    },
  },
  {
    name: 'carries 1 MiB of json text both ways',
    row: '1 MiB bodies',
    async run({ session }) {
      assert.equal(same(await session.call<string>('/echo/text', mebibyte), mebibyte), true)
    },
  },
  {
    name: 'carries 1 MiB of raw bytes both ways',
    row: '1 MiB bodies',
    not: { jsonrpc: onlyJson },
    async run({ session }) {
      const reply = await session.call<string>('/echo/bytes', Buffer.from(mebibyte), { codec: 'plain' })
      assert.equal(same(reply, mebibyte), true)
    },
  },
]
