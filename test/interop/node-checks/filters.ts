import assert from 'node:assert/strict'
import { allFiltersOnly, type NodeCheck } from './check.ts'
import { awkward, fails, mebibyte, pipes } from './values.ts'

/** Filters beyond those that every codec goes through in `pairs.ts`. */
export const filterChecks: NodeCheck[] = [
  {
    name: 'calls and pushes through filters, in small and in large',
    row: 'filters in pairs',
    not: allFiltersOnly,
    async run({ session }) {
      const before = await session.call<string[]>('/note/list', 0)
      for (const pipe of pipes) {
        const filters = pipe.split(' ')
        assert.equal(await session.call('/math/add', [1, 2, 3], { filters }), 6, pipe)
        assert.ok((await session.call('/echo/text', mebibyte, { filters })) === mebibyte, pipe)
        await session.push('/note', awkward, { filters })
      }
      const all = await session.call<string[]>('/note/list', before.length + pipes.length)
      assert.deepEqual(all.slice(before.length), Array(pipes.length).fill(awkward))
    },
  },
  {
    name: 'reads an error that comes through filters',
    row: 'filters in pairs',
    not: allFiltersOnly,
    async run(context) {
      await fails(context, '/status/fail', { code: 1001, msg: 'refused', cause: 'because' }, 1001, 'refused', 'because', ['aes', 'gzip'])
      await fails(context, '/no/such/route', 'x', 404, 'Not Found', '', ['md5', 'aes'])
    },
  },
]
