import assert from 'node:assert/strict'
import { BenchmarkMessage } from '../../protobuf/messages.ts'
import { type NodeCheck, unoffered } from './check.ts'
import { toObject } from './values.ts'

/** What each codec carries through each filter: text no protocol has trouble with, as in `go/checks_codec.go`. */
const cases = [
  { codec: 'json', route: '/echo/any', value: ['x', 1.5, true] },
  { codec: 'plain', route: '/echo/text', value: 'plain words' },
  { codec: 'form', route: '/form/values', value: { k: ['a b', '&'] } },
  { codec: 'xml', route: '/echo/text', value: 'plain words' },
  { codec: 'protobuf', route: '/proto/same', value: { Field1: 'plain words', Field2: 65 } },
]

/** Outermost first. */
export const filterRows = ['', 'gzip', 'md5', 'aes', 'gzip md5', 'aes gzip', 'md5 aes']

/** Every codec through every filter. */
export const pairChecks: NodeCheck[] = cases.flatMap(({ codec, route, value }) =>
  filterRows.map((pipe) => {
    const filters = pipe === '' ? [] : pipe.split(' ')
    const name = `codec ${codec}, filter ${filters.join('+') || 'none'}`
    return {
      name,
      row: name,
      not: unoffered(codec, filters),
      async run({ session }) {
        const types = codec === 'protobuf' ? { arg: BenchmarkMessage, result: BenchmarkMessage } : {}
        const got = await session.call<object>(route, value, { codec, filters, ...types })
        const plain = codec === 'form' ? { ...got } : codec === 'protobuf' ? toObject(got) : got
        assert.deepEqual(plain, value)
      },
    }
  }),
)
