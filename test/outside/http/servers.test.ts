import { join } from 'node:path'
import { it } from 'node:test'
import { transports } from '../../support/helpers.ts'
import { goProgram, pythonPackages } from '../support/install.ts'
import { start } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { type Ability, callServer } from './others.ts'

const folder = import.meta.dirname

interface Server extends Ability {
  name: string
  command: readonly string[]
}

await suite(
  'HTTP servers of other languages, called by us',
  async (): Promise<Server[]> => {
    const python = [await pythonPackages(folder), join(folder, 'server.py')]
    return [
      { name: 'net/http of Go', command: [await goProgram(join(folder, 'server'))], chunks: true, old: false },
      { name: 'http.server of Python, HTTP/1.0', command: [...python, 'old'], chunks: false, old: true },
      { name: 'http.server of Python, HTTP/1.1', command: [...python, 'new'], chunks: false, old: false },
      { name: 'aiohttp of Python', command: [...python, 'aiohttp'], chunks: true, old: false },
    ]
  },
  (servers) => {
    for (const transport of transports) {
      for (const { name, command, ...ability } of servers) {
        it(`${name} (${transport})`, async (t) => {
          const { line } = await start(t, command[0], command.slice(1))
          await callServer(t, transport, `tcp://127.0.0.1:${line}`, ability)
        })
      }
    }
  },
)
