// Libraries that services put around calls, logs, schemas and messages.
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { type } from 'arktype'
import Bottleneck from 'bottleneck'
import DataLoader from 'dataloader'
import { Endpoint } from 'dmicro'
import pLimit from 'p-limit'
import * as v from 'valibot'
import winston from 'winston'
import { z } from 'zod'

async function pair(transport, options = {}) {
  const server = new Endpoint({ transport, log: false, ...options })
  const client = new Endpoint({ transport, log: false })
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const session = await client.dial(url)
  return { server, client, session, close: () => Promise.all([client.close(), server.close()]) }
}

/** A message type in the form that ts-proto generates. */
const Query = {
  encode(message, writer = new BinaryWriter()) {
    if (message.id !== 0) writer.uint32(8).int32(message.id)
    if (message.name !== '') writer.uint32(18).string(message.name)
    return writer
  },
  decode(input) {
    const reader = input instanceof BinaryReader ? input : new BinaryReader(input)
    const message = { id: 0, name: '' }
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag >>> 3 === 1) message.id = reader.int32()
      else if (tag >>> 3 === 2) message.name = reader.string()
      else reader.skip(tag & 7)
    }
    return message
  },
}

export const checks = {
  async 'p-limit: never more than so many calls'(transport) {
    const ends = await pair(transport)
    let [running, most] = [0, 0]
    ends.server.routeCall('/work', async (n) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return n * 2
    })
    const limit = pLimit(4)
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => limit(() => ends.session.call('/work', i))))
    assert.deepEqual([answers.reduce((a, b) => a + b), most <= 4], [9900, true])
    await ends.close()
  },
  async 'Bottleneck: calls one after another'(transport) {
    const ends = await pair(transport)
    const order = []
    ends.server.routeCall('/work', (n) => order.push(n))
    const call = new Bottleneck({ maxConcurrent: 1 }).wrap((n) => ends.session.call('/work', n))
    await Promise.all([1, 2, 3, 4].map((n) => call(n)))
    assert.deepEqual(order, [1, 2, 3, 4])
    await ends.close()
  },
  async 'DataLoader: many loads, one call'(transport) {
    const ends = await pair(transport)
    let calls = 0
    ends.server.routeCall('/users', (ids) => ids.map((id) => ({ id, call: ++calls })))
    const loader = new DataLoader((ids) => ends.session.call('/users', ids))
    assert.deepEqual(
      (await Promise.all([5, 6, 5].map((id) => loader.load(id)))).map(({ id }) => id),
      [5, 6, 5],
    )
    await ends.close()
  },
  async 'winston as the log'(transport) {
    const lines = []
    const stream = new Writable({ write: (line, _, done) => done(void lines.push(JSON.parse(line))) })
    const log = winston.createLogger({
      level: 'debug',
      format: winston.format.json(),
      transports: [new winston.transports.Stream({ stream })],
    })
    const ends = await pair(transport, { log })
    ends.server.routeCall('/fail', () => {
      throw new Error('a bug', { cause: new Error('its cause') })
    })
    await assert.rejects(ends.session.call('/fail'), { code: 500 })
    await ends.close()
    log.end()
    const line = lines.find(({ level }) => level === 'error' || level === 'warn')
    assert.match(JSON.stringify(line), /\/fail.*a bug|a bug.*\/fail/)
    assert.match(JSON.stringify(line), /its cause/)
  },
  async 'zod, valibot and arktype guard routes and replies'(transport) {
    const ends = await pair(transport)
    const schemas = {
      zod: z.object({ id: z.number(), at: z.coerce.date() }),
      valibot: v.object({
        id: v.number(),
        at: v.pipe(
          v.string(),
          v.transform((text) => new Date(text)),
        ),
      }),
      arktype: type({ id: 'number', at: 'string.date.parse' }),
    }
    for (const [name, arg] of Object.entries(schemas)) {
      ends.server.routeCall(`/${name}`, ({ id, at }) => ({ id, year: at.getUTCFullYear() }), { arg })
      assert.deepEqual(await ends.session.call(`/${name}`, { id: 1, at: '2026-11-28' }), { id: 1, year: 2026 })
      await assert.rejects(
        ends.session.call(`/${name}`, { id: 'one', at: '2026-11-28' }),
        ({ code, cause }) => code === 400 && /id/.test(cause),
      )
    }
    const replies = { zod: z.object({ id: z.number() }), valibot: v.object({ id: v.number() }), arktype: type({ id: 'number' }) }
    ends.server.routeCall('/good', () => ({ id: 5 }))
    ends.server.routeCall('/bad', () => ({ id: 'five' }))
    for (const result of Object.values(replies)) {
      assert.equal((await ends.session.call('/good', null, { result })).id, 5)
      await assert.rejects(ends.session.call('/bad', null, { result }), { code: 400 })
    }
    ends.server.routeCall('/wrong', () => 'text', { result: z.number() })
    await assert.rejects(ends.session.call('/wrong'), { code: 500 })
    await ends.close()
  },
  async 'message types with the reader and writer of protobuf-es'(transport) {
    const ends = await pair(transport)
    ends.server.routeCall('/next', ({ id, name }) => ({ id: id + 1, name: `${name}ä` }), { arg: Query, result: Query })
    const options = { codec: 'protobuf', arg: Query, result: Query }
    assert.deepEqual(await ends.session.call('/next', { id: 41, name: 'x' }, options), { id: 42, name: 'xä' })
    await ends.close()
  },
}
