import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { defaultLimits } from '../../../src/base/limits.ts'

// docs/spec/limits.md says what the code has: each limit of `Limits`, and each constant by the file that declares it.

const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = readFileSync(join(root, 'docs/spec/limits.md'), 'utf8')
const limits = 'src/base/limits.ts'

/** The constants behind each row of the tables of constants, in the order of the row's numbers. */
const constants: Record<string, readonly (readonly [file: string, name: string])[]> = {
  'service method in raw': [[limits, 'MAX_METHOD_BYTES']],
  'status, meta as JSON': [[limits, 'MAX_STATUS_BYTES']],
  'cause from an error that is not a `StatusError`': [['src/base/errors/status.ts', 'MAX_EXPOSED']],
  'cause of a 400': [['src/base/errors/status.ts', 'MAX_COMPLAINT']],
  'routes of one process': [[limits, 'MAX_ROUTE_NAMES']],
  'numbers for called names without a route': [[limits, 'MAX_CALLED_NAMES']],
  'messages of one connection in a turn': [['src/transports/js/read-half.ts', 'MAX_PER_TURN']],
  'early messages': [['src/session/early-phase.ts', 'MAX_WAITING'], ['src/session/early-phase.ts', 'MAX_WAITING_BYTES']], // biome-ignore format: one line
  'first bytes of a connection whose protocol is not known': [['src/transports/transport.ts', 'MAX_PEEK']],
  'form parameters': [[limits, 'MAX_FORM_PARAMETERS']],
  'XML elements and attributes': [[limits, 'MAX_XML_NODES']],
  'arrays and maps of msgpack and CBOR': [[limits, 'MAX_CONTAINERS']],
  'nesting of protobuf messages': [['src/codecs/protobuf/plain.ts', 'MAX_DEPTH']],
  'members of a JSON-RPC batch': [[limits, 'MAX_BATCH']],
  'id of a JSON-RPC request': [[limits, 'MAX_REQUEST_ID_BYTES']],
  'elements of a redis command': [[limits, 'MAX_COMMAND_ELEMENTS']],
  'redis command as a line': [[limits, 'MAX_INLINE_BYTES']],
  'HTTP head': [['src/protos/http/reader.ts', 'MAX_HEAD'], ['src/protos/http/llhttp.ts', 'MAX_FIELDS']], // biome-ignore format: one line
  'idle HTTP connection': [['src/protos/http/options.ts', 'IDLE_TIMEOUT']],
  'messages filtered off the loop': [['src/filtering/jobs.ts', 'MAX_JOBS']],
  'announcement of a dmicro peer': [['src/message/announcement.ts', 'MAX_LENGTH']],
  'body on a route `/dmicro/*`': [['src/session/peer-extensions.ts', 'MAX_BODY_BYTES']],
  'time that a peer may take to close after its notice': [[limits, 'MAX_DRAIN']],
  'log lines of the default logger': [['src/base/log.ts', 'MAX_LINES']],
  'sessions of a `MultiClient`': [['src/endpoint/multi-client.ts', 'MAX_SESSIONS']],
  'addresses remembered for `maxConnectRate`': [['src/overload/address-table.ts', 'MAX_ADDRESSES']],
  'head of a WebSocket handshake': [['src/protos/websocket/head.ts', 'MAX_HEAD_BYTES']],
  'fragments of a WebSocket message': [['src/wire/websocket/reader.ts', 'MAX_FRAGMENTS']],
  'conversations of one address and port over KCP': [['src/transports/js/kcp/server.ts', 'MAX_CONVERSATIONS']],
  'packet of mDNS': [['src/rpc/registry/mdns/read-packet.ts', 'MAX_PACKET'], ['src/rpc/registry/mdns/read-packet.ts', 'MAX_RECORDS']], // biome-ignore format: one line
  'nodes of one service by mDNS': [['src/rpc/registry/mdns/found-nodes.ts', 'MAX_NODES']],
  'version and metadata of a node by mDNS': [['src/rpc/registry/mdns/txt.ts', 'MAX_JSON']],
  'nodes out of one answer of DNS (SRV)': [['src/rpc/registry/dns/zone.ts', 'MAX_TARGETS']],
  'value in etcd': [['src/rpc/registry/etcd/value.ts', 'MAX_VALUE'], ['src/rpc/registry/etcd/value.ts', 'MAX_NODES']], // biome-ignore format: one line
  'keys below one prefix of etcd': [['src/rpc/registry/etcd/store.ts', 'MAX_KEYS'], ['src/rpc/registry/etcd/store.ts', 'MAX_BYTES']], // biome-ignore format: one line
  'connections to the metrics page': [['src/observe/metrics/page-server.ts', 'MAX_CONNECTIONS']],
  'connections to the console': [['src/observe/console/server.ts', 'MAX_CONNECTIONS']],
  'form sent to the console': [['src/observe/console/server.ts', 'MAX_FORM_BYTES']],
  'live pages of the console': [['src/observe/console/streams.ts', 'MAX_STREAMS']],
  'lines that wait for a reader of the log (`ctl`)': [['src/dserver/ctl/log-stream.ts', 'MAX_LINES'], ['src/dserver/ctl/log-stream.ts', 'MAX_BYTES']], // biome-ignore format: one line
}

const factors: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, s: 1000, hour: 3_600_000 }

/** `16, or 1 MiB of bodies` as numbers: sizes in bytes, times in milliseconds. */
function numbersIn(cell: string): number[] {
  const words = cell.replace(/\]\([^)]*\)/g, ']').replace('one hour', '1 hour')
  return [...words.matchAll(/(\d[\d,]*)(?: (KiB|MiB|s|hour)\b)?/g)].map(([, digits, unit]) => Number(digits.replaceAll(',', '')) * (factors[unit] ?? 1)) // biome-ignore format: one line
}

function constant(file: string, name: string): number {
  const value = new RegExp(`^(?:export )?const ${name} = ([\\d_ *<]+)$`, 'm').exec(readFileSync(join(root, file), 'utf8'))?.[1]
  assert.ok(value !== undefined, `${file} declares no number ${name}`)
  return Number(new Function(`return ${value}`)())
}

function rows(text: string): string[][] {
  return [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row.split(' | ')).filter(([first]) => !/^(what|limit|option)$|^---/.test(first)) // biome-ignore format: one line
}

function section(name: string): string {
  const start = page.indexOf(`\n## ${name}\n`)
  return page.slice(start, page.indexOf('\n## ', start + 1))
}

test('docs/spec/limits.md lists each limit of an endpoint with its default', () => {
  const table = section('Options').split('\n\nOptions of an endpoint')[0]
  const documented = rows(table).map(([name, value]) => [name.replaceAll('`', ''), numbersIn(value)[0]])
  assert.deepEqual(Object.fromEntries(documented), { ...defaultLimits })
})

test('docs/spec/limits.md has each constant as the code declares it, and none that this test does not know', () => {
  const documented = rows(section('Constants')).map(([name, value]) => [name, numbersIn(value)] as const)
  assert.deepEqual(documented.map(([name]) => name).toSorted(), Object.keys(constants).toSorted())
  for (const [name, numbers] of documented) {
    const wanted = constants[name].map(([file, constantName]) => constant(file, constantName))
    assert.deepEqual(numbers.slice(0, wanted.length), wanted, name)
  }
})
