import assert from 'node:assert/strict'
import { type NodeCheck, noAccept, noPushes, w5 } from './check.ts'
import { awkward, folded, jsonId, plainId } from './values.ts'

/** Meta, pushes, and what a server may ask its client for. */
export const peerChecks: NodeCheck[] = [
  {
    name: 'sends meta and reads meta of the reply',
    row: 'meta, awkward text',
    not: { http: w5 },
    async run({ session }) {
      const meta = { author: 'osgochina', text: awkward, 'ключ<&>': '' }
      const reply = await session.callReply('/meta/echo', { from: 'server', text: awkward }, { meta })
      assert.deepEqual(reply.body, meta)
      assert.deepEqual({ ...reply.meta }, { 'echo-count': '3', from: 'server', text: awkward })
    },
  },
  {
    name: 'gets the codec it accepts',
    row: 'X-Accept-Body-Codec',
    not: { jsonrpc: noAccept },
    async run({ session }) {
      const plain = await session.callReply('/echo/text', 'text', { acceptCodec: 'plain' })
      assert.deepEqual([plain.body, plain.codec], ['text', plainId])
      const json = await session.callReply('/echo/text', 'text', { codec: 'plain', acceptCodec: 'json' })
      assert.deepEqual([json.body, json.codec], ['text', jsonId])
    },
  },
  {
    name: 'pushes, and reads back what it pushed',
    row: 'PUSH',
    not: noPushes,
    async run({ session }) {
      const before = await session.call<string[]>('/note/list', 0)
      const notes = [`first ${awkward}`, 'second', 'third']
      for (const note of notes) await session.push('/note', note)
      const all = await session.call<string[]>('/note/list', before.length + notes.length)
      assert.deepEqual(all.slice(before.length).sort(), notes.sort())
    },
  },
  {
    name: 'survives a push nobody takes',
    row: 'PUSH',
    not: noPushes,
    async run({ session }) {
      await session.push('/no/such/route', 'x')
      assert.equal(await session.call('/math/add', [1, 1]), 2)
    },
  },
  {
    name: 'is called back',
    row: 'called back in the same session',
    async run({ session }) {
      assert.equal(await session.call('/call/back', 21), 42)
    },
  },
  {
    name: 'is pushed back',
    row: 'PUSH',
    not: noPushes,
    async run({ session, pushed }) {
      const before = pushed.length
      assert.equal(await session.call('/push/back', 3), 3)
      const all = await pushed.atLeast(before + 3)
      assert.deepEqual(all.slice(before).sort(), ['note 1', 'note 2', 'note 3'])
    },
  },
  {
    name: 'sends meta of plain words and reads meta of the reply',
    row: 'meta',
    not: { http: w5 },
    async run({ session }) {
      const reply = await session.callReply('/meta/echo', { from: 'server' }, { meta: { author: 'osgochina' } })
      assert.deepEqual([reply.body, { ...reply.meta }], [{ author: 'osgochina' }, { 'echo-count': '1', from: 'server' }])
    },
  },
  {
    name: 'sends meta as headers, whatever the case of their names',
    row: 'meta',
    async run({ session }) {
      const meta = { author: 'héllo 世界', b_c: 'd' }
      const reply = await session.callReply<Record<string, string>>('/meta/echo', { from: 'server' }, { meta })
      assert.deepEqual([folded(reply.body, 'author'), folded(reply.body, 'b_c')], ['héllo 世界', 'd'])
      assert.equal(folded(reply.meta, 'from'), 'server')
    },
  },
]
