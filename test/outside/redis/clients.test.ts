import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { transports } from '../../support/helpers.ts'
import { goProgram, pythonPackages } from '../support/install.ts'
import { succeed } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'
import { answers, serve, UNKNOWN } from './served.ts'

const folder = import.meta.dirname

await suite(
  'redis clients of other languages',
  async (): Promise<Record<string, readonly string[]>> => {
    const python = [await pythonPackages(folder), join(folder, 'client.py')]
    return { 'redis-py': python, 'go-redis': [await goProgram(join(folder, 'client'))] }
  },
  (clients) => {
    for (const transport of transports) {
      for (const [name, [command, ...args]] of Object.entries(clients)) {
        for (const version of [undefined, '2', '3']) {
          it(`${name}, ${version === undefined ? 'as it is' : `RESP${version}`} (${transport})`, async (t) => {
            const port = await serve(t, transport)
            const printed = await succeed(command, [...args, String(port), ...(version === undefined ? [] : [version])], {
              timeout: 20_000,
            })
            const { unknown, ...got } = JSON.parse(printed)
            assert.deepEqual(got, answers)
            assert.match(unknown, UNKNOWN)
          })
        }
      }
    }
  },
)

await suite(
  "redis' own tools",
  () => needCommands({ 'redis-cli': 'redis-tools', 'redis-benchmark': 'redis-tools' }),
  () => {
    for (const transport of transports) {
      for (const version of ['-2', '-3']) {
        it(`redis-cli ${version} (${transport})`, async (t) => {
          const cli = async (...words: string[]): Promise<string> =>
            succeed('redis-cli', ['-p', String(port), version, ...words], { timeout: 10_000 })
          const port = await serve(t, transport)
          assert.equal(await cli('PING'), 'PONG')
          assert.equal(await cli('SET', 'k', 'v'), 'OK')
          assert.equal(await cli('GET', 'k'), 'v')
          assert.equal(await cli('GET', 'nothing'), '')
          assert.equal(await cli('INCR', 'n'), '7')
          assert.equal(await cli('LRANGE', 'l', '0', '-1'), 'a\nä')
          assert.match(await cli('NoSuch', 'x'), /^ERR unknown command ['`]NoSuch['`]/)
        })
      }

      it(`redis-benchmark (${transport})`, async (t) => {
        const port = await serve(t, transport)
        const options = ['-p', String(port), '-n', '20000', '-c', '20', '-P', '16', '--csv']
        const lines = (await succeed('redis-benchmark', [...options, '-t', 'set,get,incr'], { timeout: 30_000 })).split('\n')
        assert.deepEqual(
          lines.slice(1).map((line) => line.split(',')[0]),
          ['"SET"', '"GET"', '"INCR"'],
        )
      })
    }
  },
)
