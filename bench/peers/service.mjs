// A service of eight nodes in one process, and its clients: an RpcClient, one with a breaker, a limit and retries,
// and sessions that are called in turn.
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const load = (file) => import(pathToFileURL(resolve(dist, file)).href)
const { Endpoint } = await load('index.js')
const { rateLimit, RpcClient, staticRegistry } = await load('rpc/index.js')

const NODES = 8
const ECHO = '/bench/echo'
/** Both clients send the deadline of each call, as an RpcClient does that has one. */
const TIMEOUT = 30_000

export async function serve({ port }) {
  const addresses = []
  for (let n = 0; n < NODES; n++) {
    const endpoint = new Endpoint()
    endpoint.routeCall(ECHO, (body) => body)
    const { url } = await endpoint.listen(`tcp://127.0.0.1:${n === 0 ? port : 0}`)
    addresses.push(url.slice('tcp://'.length))
  }
  return { address: addresses.join(',') }
}

export const dialService = (address) => dialClient(address, {})

/** With all that a client may have on each call; nothing of it ever refuses one here. */
export function dialBroker(address) {
  const limit = rateLimit({ rate: 1e6, burst: 1e6, by: 'endpoint', direction: 'out' })
  return dialClient(address, { breaker: true, retry: { attempts: 3 }, plugins: [limit] })
}

async function dialClient(address, options) {
  const registry = staticRegistry({ bench: address.split(',') })
  const client = new RpcClient('bench', { registry, strategy: 'p2c', timeout: TIMEOUT, ...options })
  await client.selector.ready('bench')
  return { call: (value) => client.call(ECHO, value), close: () => client.close() }
}

export async function dialSessions(address) {
  const client = new Endpoint({ timeout: TIMEOUT })
  const sessions = await Promise.all(address.split(',').map((each) => client.dial(`tcp://${each}`)))
  let next = 0
  return { call: (value) => sessions[next++ % NODES].call(ECHO, value), close: () => client.close() }
}
