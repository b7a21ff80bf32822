import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { transports } from '../../support/helpers.ts'
import { goProgram, pythonPackages } from '../support/install.ts'
import { succeed } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'
import { answers, serve } from './served.ts'

const folder = import.meta.dirname

interface Client {
  name: string
  /** Is given the server's address; prints the answers. */
  command: (url: string) => string[]
}

/** Compiles a program of one file. @returns the folder of its classes, which is removed at the end */
async function javaClasses(file: string): Promise<string> {
  needCommands({ javac: 'default-jdk-headless' })
  const made = await mkdtemp(join(tmpdir(), 'dmicro-java-'))
  after(() => rm(made, { recursive: true }))
  await succeed('javac', ['-d', made, file])
  return made
}

await suite(
  'HTTP clients of other languages',
  async (): Promise<Client[]> => {
    const python = await pythonPackages(folder)
    const go = await goProgram(join(folder, 'client'))
    const libraries = ['requests', 'urllib3', 'urllib', 'http10', 'httpx', 'httpx_async', 'aiohttp']
    const java = ['java', '-Xshare:auto', '-XX:TieredStopAtLevel=1', '-cp', await javaClasses(join(folder, 'Client.java')), 'Client']
    return [
      ...libraries.map((name) => ({
        name: `${name} of Python`,
        command: (url: string) => [python, join(folder, 'clients.py'), name, url],
      })),
      { name: 'net/http of Go', command: (url) => [go, url] },
      { name: 'HttpClient of the JDK', command: (url) => [...java, url, 'HTTP_2'] },
      { name: 'HttpClient of the JDK without an offer of HTTP/2', command: (url) => [...java, url, 'HTTP_1_1'] },
      { name: 'HttpClient of the JDK that waits for 100 Continue', command: (url) => [...java, url, 'HTTP_1_1', 'expect'] },
    ]
  },
  (clients) => {
    for (const transport of transports) {
      for (const { name, command } of clients) {
        it(`${name} (${transport})`, async (t) => {
          const { url } = await serve(t, transport)
          const [program, ...args] = command(url)
          assert.deepEqual(JSON.parse(await succeed(program, args)), answers)
        })
      }
    }
  },
)
