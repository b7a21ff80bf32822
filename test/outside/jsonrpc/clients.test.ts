import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { transports } from '../../support/helpers.ts'
import { goProgram, pythonPackages } from '../support/install.ts'
import { succeed } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { answers, serve } from './served.ts'

const folder = import.meta.dirname

await suite(
  'JSON-RPC clients of other languages',
  async () => ({ python: await pythonPackages(folder), go: await goProgram(join(folder, 'client')) }),
  ({ python, go }) => {
    for (const transport of transports) {
      it(`jsonrpcclient of Python (${transport})`, async (t) => {
        const port = await serve(t, transport)
        assert.deepEqual(JSON.parse(await succeed(python, [join(folder, 'client.py'), String(port)])), answers)
      })

      it(`sourcegraph/jsonrpc2 of Go, which also serves us (${transport})`, async (t) => {
        const port = await serve(t, transport)
        const { batch, ...others } = answers
        assert.deepEqual(JSON.parse(await succeed(go, [String(port)])), { ...others, both: 42 })
      })
    }
  },
)
