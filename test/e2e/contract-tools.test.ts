import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { type TestContext, test } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { z } from 'zod'
import {
  call,
  declareError,
  defineService,
  group,
  listenMcp,
  type McpHttpOptions,
  none,
  openapi,
  plain,
  push,
  type Service,
} from '../../src/contract/index.ts'
import type { Endpoint, Session } from '../../src/index.ts'
import { endpoint, onEachTransport, pair } from '../support/helpers.ts'

const TooBig = declareError(1001, 'too big', z.object({ max: z.number() }))

const Calc = defineService(
  'calc',
  {
    add: call(z.array(z.number()), z.number(), { docs: 'Adds numbers.', idempotent: true, errors: { TooBig } }),
    about: call(none, z.object({ name: z.string(), trace: z.string().optional() }), { safe: true }),
    store: group({ put: push(z.object({ key: z.string(), value: z.string() }), { callable: true }) }),
    quiet: push(z.string()),
    when: call(z.date(), z.date()),
    old: call(none, none, { deprecated: true }),
  },
  { version: '2.0.0' },
)

function serveCalc(server: Endpoint, stored: Map<string, string> = new Map()): void {
  server.serve(Calc, {
    add: (numbers) => {
      if (numbers.length > 3) throw TooBig({ max: 3 })
      return numbers.reduce((a, b) => a + b, 0)
    },
    about: (_, { meta }) => ({ name: 'calc', ...(meta.traceparent === undefined ? undefined : { trace: meta.traceparent }) }),
    store: { put: ({ key, value }) => stored.set(key, value) },
    quiet() {},
    when: (date) => date,
    old() {},
  })
}

const me = { name: 'test', version: '1' }
/** The official clients: of the present protocol, of the one before it, and of the SDK before this. */
const clients: Readonly<Record<string, (url: URL) => Promise<Client>>> = {
  async '2026-07-28'(url) {
    const client = new Client(me, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new StreamableHTTPClientTransport(url))
    assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28')
    return client
  },
  async '2025-11-25'(url) {
    const client = new Client(me)
    await client.connect(new StreamableHTTPClientTransport(url))
    assert.equal(client.getNegotiatedProtocolVersion(), '2025-11-25')
    return client
  },
  async 'SDK 1.x'(url) {
    const client = new OldClient(me)
    await client.connect(new OldTransport(url) as never)
    return client as unknown as Client
  },
}

async function listening(
  t: TestContext,
  service: Service,
  session: Session,
  options: McpHttpOptions = {},
): Promise<{ url: URL; problems: string[] }> {
  const problems: string[] = []
  const listener = await listenMcp('http://127.0.0.1:0/mcp', service, session, { onProblem: (text) => problems.push(text), ...options })
  t.after(() => listener.close())
  return { url: new URL(listener.url), problems }
}

async function connect(t: TestContext, kind: string, url: URL): Promise<Client> {
  const client = await clients[kind](url)
  t.after(() => client.close())
  return client
}

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

onEachTransport('contract as MCP tools', (transport) => {
  for (const kind of Object.keys(clients))
    test(`the official client (${kind}) lists and calls the methods of a contract over http`, async (t) => {
      const stored = new Map<string, string>()
      const { server, session } = await pair(t, transport)
      serveCalc(server, stored)
      const { url, problems } = await listening(t, Calc, session)
      const client = await connect(t, kind, url)
      const { tools } = await client.listTools()
      assert.deepEqual(tools.map(({ name }) => name), ['calc_add', 'calc_about', 'calc_store_put', 'calc_quiet', 'calc_when']) // biome-ignore format: one line
      assert.deepEqual(tools[0].inputSchema.required, ['value'])
      assert.match(tools[0].description ?? '', /^Adds numbers\.\nErrors: 1001 TooBig \(too big\)\.$/)
      assert.deepEqual(tools[1].annotations, { readOnlyHint: true, idempotentHint: true })
      const sum = await client.callTool({ name: 'calc_add', arguments: { value: [1, 2] } })
      assert.deepEqual(sum.structuredContent, { result: 3 })
      assert.deepEqual(sum.content, [{ type: 'text', text: '3' }])
      const failed = await client.callTool({ name: 'calc_add', arguments: { value: [1, 2, 3, 4] } })
      assert.equal(failed.isError, true)
      assert.deepEqual(failed.content, [{ type: 'text', text: '1001 TooBig: too big ({"max":3})' }])
      const wrong = await client.callTool({ name: 'calc_add', arguments: { value: 'x' } })
      assert.match((wrong.content as { text: string }[])[0].text, /^400: Bad Message \(argument: /)
      await client.callTool({ name: 'calc_store_put', arguments: { key: 'a', value: 'b' } })
      const about = await client.callTool({ name: 'calc_about', _meta: { traceparent: trace } })
      assert.deepEqual(about.structuredContent, { name: 'calc', trace })
      assert.equal(stored.get('a'), 'b')
      await assert.rejects(client.callTool({ name: 'none' }), /no tool is named none/)
      // The tool whose schema JSON cannot say is there, open, and says so.
      assert.deepEqual(problems, [
        'calc_when: when, argument: it is a date, which JSON cannot say',
        'calc_when: when, result: it is a date, which JSON cannot say',
      ])
      assert.deepEqual(tools[4].inputSchema, { type: 'object' })
      assert.match(tools[4].description ?? '', /incomplete/)
    })

  for (const kind of Object.keys(clients))
    test(`schemas that are none of JSON Schema hide no other tool from the client (${kind})`, async (t) => {
      const Odd = defineService('odd', {
        typo: call(none, plain<object>({ type: 'objekt' })),
        nowhere: call(plain<object>({ $ref: 'other.json' }), plain<object>({ type: 'object', properties: { a: { $ref: 'other.json' } } })),
        twice: call(none, plain<object>({ type: 'object', required: ['a', 'a'], properties: { a: { minimum: '3' } } })),
        pattern: call(none, plain<object>({ type: 'object', properties: { a: { type: 'string', pattern: '(' } } })),
        fine: call(none, plain<object>({ type: 'object', properties: { enum: { type: 'string' }, type: { type: 'integer' } } })),
      })
      const { server, session } = await pair(t, transport)
      const answer = () => ({ enum: 'x', type: 1 })
      server.serve(Odd, { typo: answer, nowhere: (value) => value, twice: answer, pattern: answer, fine: answer })
      const { url, problems } = await listening(t, Odd, session)
      const client = await connect(t, kind, url)
      const { tools } = await client.listTools()
      assert.deepEqual(tools.map(({ name, outputSchema }) => `${name} ${outputSchema === undefined ? 'open' : 'said'}`), ['odd_typo open', 'odd_nowhere open', 'odd_twice open', 'odd_pattern said', 'odd_fine said']) // biome-ignore format: one line
      for (const { name } of tools) assert.equal((await client.callTool({ name, arguments: { a: 1 } })).isError, undefined, name)
      assert.deepEqual(problems.map((problem) => problem.replace('the schema of its ', '').replace(' is none of JSON Schema', '')), ['odd_typo: result', 'odd_nowhere: argument', 'odd_nowhere: result', 'odd_twice: result']) // biome-ignore format: one line
    })

  test('hosts and origins that are not named are refused, and other methods than POST', async (t) => {
    const { server, session } = await pair(t, transport)
    serveCalc(server)
    const { url } = await listening(t, Calc, session, { origins: ['https://app.example'] })
    const status = (method: string, headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = httpRequest(url, { method, headers }, (response) => resolve(response.resume().statusCode))
        request.once('error', reject).end()
      })
    assert.equal(await status('POST', { host: 'evil.example' }), 403)
    assert.equal(await status('POST', { origin: 'https://evil.example' }), 403)
    assert.notEqual(await status('POST', { origin: 'https://app.example' }), 403)
    assert.equal(await status('GET', {}), 405)
  })

  test('the OpenAPI document is true: http serves its paths as it says', async (t) => {
    const stored = new Map<string, string>()
    const server = endpoint(t, { transport })
    serveCalc(server, stored)
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['http'] })
    const base = url.replace('tcp:', 'http:')
    const { paths } = openapi(Calc, { unknown: 'open', servers: [base] }) as {
      paths: Record<string, Record<string, { responses: object }>>
    }
    assert.deepEqual(Object.entries(paths).map(([path, methods]) => `${Object.keys(methods)} ${path}`), ['post /calc/add', 'get,post /calc/about', 'post /calc/store/put', 'post /calc/when', 'post /calc/old']) // biome-ignore format: one line
    const send = (path: string, body?: unknown, method = 'POST'): Promise<Response> =>
      fetch(`${base}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const added = await send('/calc/add', [1, 2])
    assert.match(added.headers.get('content-type') ?? '', /^application\/json/)
    assert.deepEqual([added.status, await added.json()], [200, 3])
    const declared = await send('/calc/add', [1, 2, 3, 4])
    assert.deepEqual([declared.status, await declared.json()], [500, { code: 1001, msg: 'too big', cause: '{"max":3}' }])
    const wrong = await send('/calc/add', 'x')
    assert.equal(wrong.status, 400)
    assert.deepEqual(Object.keys((await wrong.json()) as object), ['code', 'msg', 'cause'])
    for (const method of ['GET', 'POST']) assert.deepEqual(await (await send('/calc/about', undefined, method)).json(), { name: 'calc' })
    const put = await send('/calc/store/put', { key: 'a', value: 'b' })
    assert.deepEqual([put.status, await put.text(), stored.get('a')], [200, '', 'b'])
    assert.equal((await send('/calc/add', undefined, 'GET')).status, 405)
    assert.equal((await send('/calc/quiet', 'x')).status, 404)
  })
})

test('the example serves its contract to an agent on stdin and stdout', { timeout: 30_000 }, async (t) => {
  const transport = new StdioClientTransport({ command: process.execPath, args: ['examples/contract/mcp.mjs'], stderr: 'inherit' })
  const client = new Client(me, { versionNegotiation: { mode: 'auto' } })
  await client.connect(transport)
  t.after(() => client.close())
  const { tools } = await client.listTools()
  assert.equal(tools.length, 30)
  const found = await client.callTool({ name: 'shop_items_get', arguments: { id: 1 } })
  assert.deepEqual(found.structuredContent, { id: 1, name: 'tea', price: 3, stock: 10 })
})
