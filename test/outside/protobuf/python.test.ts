import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { bytes } from '../../../src/index.ts'
import { type Kind, pair, transports } from '../../support/helpers.ts'
import { plainForm } from '../codecs/plain-form.ts'
import { pythonPackages } from '../support/install.ts'
import { succeed } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { descriptors, Every, messages } from './messages.ts'

interface Bodies {
  /** The plain form of the message that a handler gets for this body. */
  read(body: Uint8Array): Promise<string>
  /** The body of a reply that is this value. */
  write(value: unknown): Promise<Uint8Array>
  /** The body of the reply of a handler that returns what it gets. */
  echo(body: Uint8Array): Promise<Uint8Array>
}

async function bodies(t: TestContext, transport: Kind): Promise<Bodies> {
  const { server, session } = await pair(t, transport, { client: { codec: 'protobuf' } })
  let given: unknown
  let got = ''
  server.routeCall('/read', (message) => void (got = plainForm(Every.toObject(message as never, { longs: BigInt }))), { arg: Every })
  server.routeCall('/echo', (message: unknown) => message, { arg: Every, result: Every })
  server.routeCall('/write', () => given, { result: Every })
  return {
    read: async (body) => {
      await session.call('/read', body)
      return got
    },
    write: (value) => {
      given = value
      return session.call('/write', undefined, { result: bytes })
    },
    echo: (body) => session.call('/echo', body, { result: bytes }),
  }
}

await suite(
  'protobuf of Python',
  () => pythonPackages(import.meta.dirname),
  (python) => {
    /** What Python reads in these bodies, and the bodies that it then writes. */
    const ask = async (written: readonly Uint8Array[]): Promise<[form: string, body: Buffer][]> => {
      const lines = [
        Buffer.from(await descriptors()).toString('hex'),
        'outside.Every',
        ...written.map((body) => Buffer.from(body).toString('hex')),
      ]
      const answer = await succeed(python, [join(import.meta.dirname, 'peer.py')], { input: `${lines.join('\n')}\n` })
      return answer.split('\n').map((line) => {
        const [form, body = ''] = line.split(' ')
        return [form, Buffer.from(body, 'hex')]
      })
    }

    for (const transport of transports) {
      it(`reads 200 messages that we wrote, and we read them when it wrote them (${transport})`, async (t) => {
        const { read, write } = await bodies(t, transport)
        const given = [...messages(199, 1), {}]
        const written: Uint8Array[] = []
        for (const value of given) written.push(await write(value))
        const answers = await ask(written)
        assert.equal(answers.length, 200)
        for (const [i, [form, body]] of answers.entries()) {
          assert.equal(form, plainForm(given[i]))
          assert.equal(await read(body), plainForm(given[i]))
        }
      })

      it(`reads names of enums and numbers as text as what they mean (${transport})`, async (t) => {
        const { write } = await bodies(t, transport)
        const cases: [given: object, meant: object][] = [
          [{ one_Color: 'GREEN' }, { one_Color: 1 }],
          [{ many_Color: ['GREEN', 'NONE', 0] }, { many_Color: [1, -1, 0] }],
          [{ apart_Color: ['FAR'] }, { apart_Color: [2 ** 31 - 1] }],
          [{ of_Color: { a: 'GREEN', b: 'RED', c: 'NONE' } }, { of_Color: { a: 1, b: 0, c: -1 } }],
          [{ by_int64: { '-5': 'FAR' } }, { by_int64: { '-5': 2 ** 31 - 1 } }],
          [{ chosen_Color: 'RED' }, { chosen_Color: 0 }],
          ...['float', 'double'].flatMap((kind): [object, object][] =>
            ['NaN', 'Infinity', '-Infinity', '1.5'].flatMap((text): [object, object][] => [
              [{ [`one_${kind}`]: text }, { [`one_${kind}`]: Number(text) }],
              [{ [`many_${kind}`]: [text] }, { [`many_${kind}`]: [Number(text)] }],
              [{ [`of_${kind}`]: { k: text } }, { [`of_${kind}`]: { k: Number(text) } }],
              [{ [`chosen_${kind}`]: text }, { [`chosen_${kind}`]: Number(text) }],
            ]),
          ),
          [{ one_uint64: '18446744073709551615' }, { one_uint64: 2n ** 64n - 1n }],
          [{ of_sint64: { k: '-9223372036854775808' } }, { of_sint64: { k: -(2n ** 63n) } }],
        ]
        const written: Uint8Array[] = []
        for (const [given] of cases) written.push(await write(given))
        const answers = await ask(written)
        for (const [i, [given, meant]] of cases.entries()) assert.equal(answers[i][0], plainForm(meant), JSON.stringify(given))
      })

      it(`reads what it sent where entries of maps lack key and value, after a handler passed it on (${transport})`, async (t) => {
        const { echo } = await bodies(t, transport)
        const maps = Object.values(Every.fields).filter(({ name }) => name.startsWith('of_') || name.startsWith('by_'))
        assert.equal(maps.length, 29)
        const empty = maps.map(({ id }) => Buffer.from([((id * 8 + 2) & 0x7f) | 0x80, (id * 8 + 2) >> 7, 0]))
        const passedOn: Uint8Array[] = []
        for (const body of empty) passedOn.push(await echo(body))
        const forms = (answers: [string, Buffer][]): string[] => answers.map(([form]) => form)
        assert.deepEqual(forms(await ask(passedOn)), forms(await ask(empty)))
      })
    }
  },
)
