import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { transports } from '../../support/helpers.ts'
import { goProgram, pythonPackages } from '../support/install.ts'
import { succeed } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { bodies } from './bodies.ts'
import { plainForm } from './plain-form.ts'
import { values } from './values.ts'

const folder = import.meta.dirname

/** A program in another language that reads bodies and writes them anew. */
interface Peer {
  name: string
  codec: 'cbor' | 'msgpack'
  command: readonly string[]
  /** In how many ways it writes a body. */
  ways: number
}

await suite(
  'CBOR and msgpack of Python and Go',
  async (): Promise<Peer[]> => {
    const python = [await pythonPackages(folder), join(folder, 'peer.py')]
    const go = [await goProgram(join(folder, 'peer'))]
    return [
      { name: 'cbor2 of Python', codec: 'cbor', command: python, ways: 4 },
      { name: 'msgpack of Python', codec: 'msgpack', command: python, ways: 1 },
      { name: 'fxamacker/cbor of Go', codec: 'cbor', command: go, ways: 4 },
      { name: 'vmihailenco/msgpack of Go', codec: 'msgpack', command: go, ways: 1 },
    ]
  },
  (peers) => {
    for (const transport of transports) {
      for (const { name, codec, command, ways } of peers) {
        it(`${name} reads what we wrote, and we read what it wrote (${transport})`, async (t) => {
          const { read, write } = await bodies(t, transport, codec)
          let input = ''
          for (const value of values) input += `${codec} ${Buffer.from(await write(value)).toString('hex')}\n`
          const lines = (await succeed(command[0], command.slice(1), { input })).split('\n')
          assert.equal(lines.length, values.length)
          for (const [i, value] of values.entries()) {
            const expected = plainForm([value])
            const [theirs, ...written] = lines[i].split(' ')
            assert.equal(theirs, expected)
            assert.equal(written.length, ways)
            for (const hex of written) assert.equal(await read(Buffer.from(hex, 'hex')), expected, hex)
          }
        })
      }
    }
  },
)
