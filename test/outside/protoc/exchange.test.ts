import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Type } from 'protobufjs'
import { protobufCodec } from '../../../src/codecs/protobuf.ts'
import { plainForm } from '../codecs/plain-form.ts'
import { succeed } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { descriptors, protos, tools } from './tools.ts'

type Module = Record<string, Type>

const max = 2n ** 63n - 1n
/** Messages by file and type; null is a field that is absent. */
const cases: [file: string, type: string, messages: object[]][] = [
  [
    'old.proto',
    'old.Money',
    [
      { cents: 0n },
      { cents: -max - 1n, currency: '', raw: Buffer.alloc(0), endless: 0, unknown: 0, deep: 0n, high: 0n, kind: 1, flag: false, hex: 0 },
      { cents: max, currency: 'USD', raw: Buffer.from([0, 255]), high: 2n ** 64n - 1n, kind: 2, escaped: 'é', plain: 1, fixed: 2n ** 63n },
      { cents: 1n, packed: [1, -1, 300], expanded: [0, -1, 2 ** 31 - 1], many: [2, 1, 2], zigzag: -max - 1n },
      { cents: 1n, mypart: [{ text: 'a', kind: 2 }, {}, { text: '' }], single: { n: -5 } },
      { cents: 1n, single: {}, a: '' },
      { cents: 1n, b: 1 },
      { cents: 1n, kinds: { '-1': 1, [String(max)]: 0 } },
    ],
  ],
  [
    'edition.proto',
    'edition.Thing',
    [
      { must: 0 },
      { must: 1, explicit: '', implicit: 'x', closed: 2, open: 0, high: 0n },
      { must: -1, expanded: [1, 2, -3], packed: [1, 2, -3], many: [1, 2], number: -5n },
      { must: 1, child: { must: 2, child: { must: 3, explicit: 'deep' } } },
      { must: 1, inner: { t: { must: 0 }, ts: [{ must: 1 }, { must: 2, child: { must: 3 } }], m: { a: { must: 4 } }, s: 'é' } },
      { must: 1, a: '' },
      { must: 1, b: 0 },
    ],
  ],
  ['future.proto', 'future.Outer', [{}, { first_name: '' }, { first_name: 'a', kind: 0, kinds: [1, 0, 1], part: {} }, { part: { n: 0 } }]],
  [
    'shop/shop.proto',
    'shop.v1.Item',
    [
      {},
      { item_id: max, name: 'tea', note: '', state: 0, count: 0n, tags: [{ text: 'a', deep: 1 }, {}], fixed: -1n, high: 2n ** 64n - 1n },
      { prices: { eur: { cents: 5n, currency: 'EUR' } }, shelf: '', packed: [1, 0], states: [0, 1, 7], stateOf: { '-1': 9 } },
      { pending: 0, added: { seconds: -1n, nanos: 5 }, wrapped: { value: 'w' }, took: { seconds: 1n }, mask: { paths: ['a.b'] } },
      {
        box: {},
        struct: { fields: { a: { number_value: 1.5 }, b: { list_value: { values: [{ null_value: 0 }] } } } },
        longs: { true: -1n },
      },
      { any: { type_url: 'type/x', value: Buffer.from([1]) }, state: 77 },
    ],
  ],
]

const camel = (name: string): string => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** The message with its fields named as TypeScript has them. Keys of maps have no such letters here. */
function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [camel(key), renamed(each)]))
}

await suite('generated messages', tools, ({ python, dmctl, folder }) => {
  for (const [file, type, messages] of cases) {
    it(`${file}: Python reads what we write, byte for byte as it writes itself, and we read that`, async () => {
      const out = folder()
      try {
        assert.equal((await dmctl(protos, out, [file])).code, 0)
        const name = file.split('/').at(-1)?.replace('.proto', '.ts') ?? ''
        const generated = (await import(pathToFileURL(join(out, name)).href)) as Module
        const body = generated[type.split('.').at(-1) ?? '']
        const written = messages.map((message) => Buffer.from(protobufCodec.encode(renamed(message), body as never)))
        const lines = [await descriptors(python, file, out), type, ...written.map((each) => each.toString('hex'))]
        const peer = join(import.meta.dirname, '../protobuf/peer.py')
        const answer = await succeed(python, [peer], { input: `${lines.join('\n')}\n` })
        const forms = answer.split('\n').map((line) => line.split(' '))
        assert.equal(forms.length, messages.length)
        for (const [i, [form, bytes]] of forms.entries()) {
          assert.equal(form, plainForm(messages[i]))
          const read = protobufCodec.decode(
            Buffer.from(bytes ?? '', 'hex'),
            0,
            (bytes ?? '').length / 2,
            undefined as never,
            undefined as never,
            body as never,
          )
          assert.equal(plainForm(body.toObject(read as never, { longs: BigInt })), plainForm(renamed(messages[i])))
          const hasMaps = /prices|kinds|stateOf|longs|struct/.test(Object.keys(messages[i]).join())
          if (!hasMaps) assert.equal(written[i].toString('hex'), bytes ?? '')
        }
      } finally {
        rmSync(out, { recursive: true })
      }
    })
  }
})
