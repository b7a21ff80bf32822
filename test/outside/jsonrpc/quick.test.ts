import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { endpoint, status, transports } from '../../support/helpers.ts'
import { npmPackages } from '../support/install.ts'
import { suite } from '../support/suite.ts'
import { answers, serve } from './served.ts'

interface Answer {
  id: string | number
  result?: unknown
  error?: { code: number; message: string }
}

await suite(
  'jayson',
  async () => {
    const folder = join(await npmPackages(import.meta.dirname), 'node_modules')
    const { default: jayson } = await import(pathToFileURL(join(folder, 'jayson/promise/index.js')).href)
    return jayson
  },
  (jayson) => {
    for (const transport of transports) {
      it(`its client calls us (${transport})`, async (t) => {
        const port = await serve(t, transport)
        const client = jayson.Client.tcp({ port, host: '127.0.0.1' })
        const ask = (method: string, params: unknown): Promise<Answer> => client.request(method, params)
        // Without an id it makes a notification, with `false` in the fourth place a request of a batch.
        const part = (method: string, params: unknown, id: unknown): object => client.request(method, params, id, false)
        const batch: Answer[] = await client.request([
          part('subtract', [42, 23], 'a'),
          part('note', [1], null),
          part('echo', ['seven'], 7),
          part('missing', [], 'b'),
        ])
        await client.request('note', { x: 1 }, null)
        const { error: sold } = await ask('sell', [])
        assert.deepEqual(
          {
            position: (await ask('subtract', [42, 23])).result,
            name: (await ask('subtract', { subtrahend: 23, minuend: 42 })).result,
            echo: (await ask('echo', answers.echo)).result,
            size: (await ask('size', ['y'.repeat(1_000_000)])).result,
            nothing: (await ask('nothing', [])).result,
            missing: (await ask('missing', [])).error?.code,
            sell: [sold?.code, sold?.message],
            batch: Object.fromEntries(
              batch.map(({ id, result, error }) => [id, error?.code ?? (Array.isArray(result) ? result[0] : result)]),
            ),
            noted: (await ask('noted', [])).result,
          },
          answers,
        )
      })

      it(`we call its server (${transport})`, async (t) => {
        const noted: unknown[] = []
        const server = jayson
          .Server({
            subtract: async (arg: [number, number] | { minuend: number; subtrahend: number }) =>
              Array.isArray(arg) ? arg[0] - arg[1] : arg.minuend - arg.subtrahend,
            echo: async (value: unknown) => value,
            note: async (value: unknown) => void noted.push(value),
            noted: async () => noted.length,
            sell: async () => {
              throw { code: 1001, message: 'out of stock' }
            },
          })
          .tcp()
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        const session = await endpoint(t, { transport, protocol: 'jsonrpc' }).dial(
          `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
        )
        t.after(() => server.close())
        assert.equal(await session.call('subtract', [42, 23]), 19)
        assert.equal(await session.call('subtract', { minuend: 42, subtrahend: 23 }), 19)
        assert.deepEqual(await session.call('echo', answers.echo), answers.echo)
        assert.deepEqual((await status(session.call('missing', []))).slice(0, 1), [404])
        assert.deepEqual((await status(session.call('sell', []))).slice(0, 2), [1001, 'out of stock'])
        await session.push('note', [1])
        assert.equal(await session.call('noted', []), 1)
        const values = Array.from({ length: 200 }, (_, i) => [i])
        assert.deepEqual(await Promise.all(values.map((value) => session.call('echo', value))), values)
      })
    }
  },
)
