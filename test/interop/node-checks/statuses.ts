import assert from 'node:assert/strict'
import { type NodeCheck, w10Bytes, w10Cause } from './check.ts'
import { awkward, fails } from './values.ts'

/** Failures as the caller sees them. */
export const statusChecks: NodeCheck[] = [
  {
    name: 'rejects with status 1001, its message and its cause',
    row: 'cause of a status',
    not: { jsonrpc: w10Cause },
    async run(context) {
      await fails(context, '/status/fail', { code: 1001, msg: 'refused', cause: 'because' }, 1001, 'refused', 'because')
    },
  },
  {
    name: 'reads a status in Go quoting, which is not always JSON',
    row: 'status, awkward text',
    not: { jsonrpc: w10Cause },
    async run(context) {
      const msg = `${awkward} \x00\x01\x07\x08\x0b\x0c\x7f \u0085\u200b\u2029 ${String.fromCodePoint(0xe0001, 0x10ffff)}`
      await fails(context, '/status/fail', { code: 1002, msg, cause: `${msg}","cause":"x"}` }, 1002, msg, `${msg}","cause":"x"}`)
    },
  },
  {
    name: 'reads the text of a panic in Go quoting',
    row: 'status, awkward text',
    not: { jsonrpc: w10Cause },
    async run(context) {
      await fails(context, '/status/panic', awkward, 500, 'Internal Server Error', awkward)
    },
  },
  {
    name: 'rejects with the lowest and the highest code',
    row: 'status',
    async run(context) {
      await fails(context, '/status/fail', { code: -2147483648, msg: 'lowest', cause: '' }, -2147483648, 'lowest', '')
      await fails(context, '/status/fail', { code: 2147483647, msg: 'highest', cause: '' }, 2147483647, 'highest', '')
    },
  },
  {
    name: 'rejects with 404 for an unknown route',
    row: 'status',
    async run(context) {
      await fails(context, '/no/such/route', 'x', 404, 'Not Found', '')
    },
  },
  {
    name: 'rejects with 400 for an argument Go cannot decode',
    row: 'cause of a status',
    not: { jsonrpc: w10Cause },
    async run(context) {
      await fails(context, '/math/add', 'no list', 400, 'Bad Message', 'json: cannot unmarshal string into Go value of type []int')
    },
  },
  {
    name: 'rejects with 400 when the reply does not decode, and goes on',
    row: 'status',
    not: { jsonrpc: w10Bytes },
    async run({ session }) {
      await assert.rejects(session.call('/echo/bytes', Buffer.from('{"cut":')), { name: 'StatusError', code: 400 })
      assert.equal(await session.call('/math/add', [1]), 1)
    },
  },
]
