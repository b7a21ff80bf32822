// The command lines of both peer programs: `NAME [options]`.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { payloads } from '../payloads.mjs'
import { fail, USAGE } from './fail.mjs'

const schemes = ['tls', 'ws', 'kcp', 'quic']
const text = (fallback) => ({ type: 'string', default: fallback })
const both = {
  payload: text('json-64'),
  'busy-poll': { type: 'string' },
  'io-threads': { type: 'string' },
  routes: { type: 'string' },
  proto: text('raw'),
  scheme: { type: 'string' },
  certificate: { type: 'string' },
  kcp: { type: 'string' },
}
const server = { host: text('127.0.0.1'), port: text('0'), 'reuse-port': { type: 'boolean', default: false } }
const client = {
  address: { type: 'string' },
  connections: text('1'),
  'in-flight': text('1'),
  seconds: text('5'),
  warmup: text('1'),
  'server-pids': text(''),
  rate: text('0'),
  direction: text('call'),
}

export function readServerOptions() {
  const { name, values } = parse({ ...both, ...server })
  return { name, driver: { ...driverOptions(values), host: values.host, port: whole(values, 'port', 0), reusePort: values['reuse-port'] } }
}

export function readClientOptions() {
  const { name, values } = parse({ ...both, ...client })
  if (values.address === undefined) fail('--address is missing', USAGE)
  if (values.direction !== 'call' && values.direction !== 'push') fail(`--direction is call or push, not ${values.direction}`, USAGE)
  const rate = amount(values, 'rate', 0)
  if (rate > 0 && values.direction === 'push') fail('--rate is for calls, not for pushes', USAGE)
  return {
    name,
    driver: driverOptions(values),
    address: values.address,
    connections: whole(values, 'connections', 1),
    inFlight: whole(values, 'in-flight', 1),
    seconds: amount(values, 'seconds', 0.01),
    warmup: amount(values, 'warmup', 0),
    serverPids: pids(values['server-pids']),
    rate,
    direction: values.direction,
  }
}

function parse(options) {
  let parsed
  try {
    parsed = parseArgs({ options, allowPositionals: true })
  } catch (error) {
    fail(error, USAGE)
  }
  if (parsed.positionals.length !== 1) fail('expected the name of one driver', USAGE)
  return { name: parsed.positionals[0], values: parsed.values }
}

/** What `serve` and `dial` of a driver get. */
function driverOptions(values) {
  const payload = Object.hasOwn(payloads, values.payload) ? payloads[values.payload] : undefined
  if (payload === undefined) fail(`no payload is named ${values.payload}; known: ${Object.keys(payloads).join(', ')}`, USAGE)
  const busyPoll = values['busy-poll'] === undefined ? undefined : whole(values, 'busy-poll', 0)
  // A number of threads, or 'auto'.
  const threads = values['io-threads']
  const ioThreads = threads === undefined || threads === 'auto' ? threads : whole(values, 'io-threads', 0)
  const routes = values.routes === undefined ? undefined : whole(values, 'routes', 1)
  const { scheme } = values
  if (scheme !== undefined && !schemes.includes(scheme)) fail(`--scheme is ${schemes.join(' or ')}, not ${scheme}`, USAGE)
  if ((scheme === 'tls' || scheme === 'quic') && values.certificate === undefined) fail(`--scheme ${scheme} needs --certificate`, USAGE)
  const certificate = values.certificate === undefined ? undefined : JSON.parse(readFileSync(values.certificate, 'utf8'))
  return { payload, codec: payload.kind, busyPoll, ioThreads, routes, protocol: values.proto, scheme, certificate, kcp: values.kcp }
}

function amount(values, name, least) {
  const value = Number(values[name])
  if (values[name].trim() === '' || !Number.isFinite(value) || value < least) fail(`--${name} takes a number from ${least}`, USAGE)
  return value
}

function whole(values, name, least) {
  const value = amount(values, name, least)
  if (!Number.isInteger(value)) fail(`--${name} takes a whole number`, USAGE)
  return value
}

function pids(list) {
  const found = list.split(',').filter(Boolean).map(Number)
  if (!found.every((pid) => Number.isInteger(pid) && pid > 0)) fail('--server-pids takes process ids, by commas', USAGE)
  return found
}
