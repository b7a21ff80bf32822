// Memory of idle sessions, and of a heap under load.
import { connect } from 'node:net'
import { Endpoint } from '../dist/index.js'
import { path, runToEnd, startServer } from './processes.mjs'

const SESSIONS = 10_000

const open = (port) =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(socket)).on('error', reject)
  })

/** Opens SESSIONS idle sockets to `port`, a hundred at a time. */
async function openIdle(port) {
  const sockets = []
  while (sockets.length < SESSIONS) sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open(port)))))
  return sockets
}

/** Bytes of resident memory that an idle session costs a dmicro server. */
export async function idleSession(transport) {
  const server = await startServer(process.execPath, '--expose-gc', path('peers/dmicro-server.mjs'), transport)
  const client = new Endpoint({ transport: 'js' })
  const session = await client.dial(`tcp://127.0.0.1:${server.port}`)
  const before = await session.call('/bench/memory')
  const sockets = await openIdle(server.port)
  let after = await session.call('/bench/memory')
  while (after.sessions < SESSIONS + 1) after = await session.call('/bench/memory')
  for (const socket of sockets) socket.destroy()
  await client.close()
  await server.stop()
  return (after.rss - before.rss) / SESSIONS
}

/** The same of a bare node:net server. */
export async function idleSocket() {
  const server = await startServer(process.execPath, '--expose-gc', path('peers/net-memory.mjs'))
  const probe = await open(server.port)
  const ask = () =>
    new Promise((resolve) => {
      probe.once('data', (data) => resolve(JSON.parse(data)))
      probe.write('?')
    })
  const before = await ask()
  const sockets = await openIdle(server.port)
  const after = await ask()
  for (const socket of [...sockets, probe]) socket.destroy()
  await server.stop()
  return (after.rss - before.rss) / SESSIONS
}

/** The server's heap after each of several loads, `calls` in all. */
export async function heapUnderLoad(transport, load, calls) {
  const server = await startServer(process.execPath, '--expose-gc', path('peers/dmicro-server.mjs'), transport)
  const client = new Endpoint({ transport: 'js' })
  const session = await client.dial(`tcp://127.0.0.1:${server.port}`)
  const heaps = []
  let done = 0
  while (done < calls) {
    const run = await runToEnd(load, '--connections', 16, '--in-flight', 64, '--seconds', 2, '--warmup', 0, '--port', server.port, '--json')
    done += run.calls
    heaps.push((await session.call('/bench/memory')).heapUsed)
  }
  await client.close()
  await server.stop()
  return { calls: done, heaps }
}
