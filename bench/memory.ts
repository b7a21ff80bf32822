// Memory of idle sessions, and of a heap under load. A js server answers the line `memory` on its standard input, after
// collections of garbage, with {"rss","heapUsed"}.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { accepted, openFiles } from './accepted.ts'
import { certificateFile } from './certificate.ts'
import type { Driver, Scheme } from './drivers.ts'
import { idleCore, openKcp, residentOf } from './kcp-memory.ts'
import { loadClient, type Server, type Settings, startServer } from './peers.ts'
import type { Measurement } from './results.ts'
import type { Trial } from './trials.ts'

const ANSWER_MS = 10_000
/** Opened at a time: less than a listener's backlog. */
const BATCH = 100
/** The first load is the warm-up. */
const LOADS = 5

const exposingGc = (settings: Settings): Settings => ({ ...settings, serverFlags: [...settings.serverFlags, '--expose-gc'] })

function memory({ program }: Server): Promise<{ rss: number; heapUsed: number }> {
  program.tell('memory')
  return program.next(ANSWER_MS)
}

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** A session that is ready for its first message. */
async function open(port: number, scheme: Scheme | undefined, ca: string): Promise<Socket> {
  const to = { port, host: '127.0.0.1' }
  if (scheme === 'tls') {
    const socket = connectTls({ ...to, ca, minVersion: 'TLSv1.3' })
    await once(socket, 'secureConnect')
    return socket
  }
  const socket = connect(to)
  await once(socket, 'connect')
  if (scheme === 'ws') {
    socket.write(`${UPGRADE.join('\r\n')}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (!answer.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error('the server does not upgrade to a WebSocket')
  }
  return socket
}

/** The same over KCP, where a session is no file; a server in Go collects its garbage as it likes. */
async function idleOverKcp(driver: Driver, trial: Trial, settings: Settings): Promise<Measurement> {
  const server = await startServer(driver, trial, driver.kind === 'js' ? exposingGc(settings) : settings)
  const port = Number(server.address.split(':').at(-1))
  const resident = async () => (driver.kind === 'js' ? (await memory(server)).rss : residentOf(server))
  const [first] = await openKcp(port, 1)
  await resident()
  const before = await resident()
  const sockets = await openKcp(port, trial.connections)
  const after = await resident()
  const idle_core = await idleCore(server)
  for (const socket of [first, ...sockets]) socket.close()
  await server.program.stop()
  return { bytes_per_session: (after - before) / sockets.length, idle_core }
}

/** Resident bytes of the server for each of many sessions that do nothing. */
export async function idle(driver: Driver, trial: Trial, settings: Settings): Promise<Measurement> {
  if (driver.scheme === 'kcp') return idleOverKcp(driver, trial, settings)
  const server = await startServer(driver, trial, exposingGc(settings))
  const port = Number(server.address.split(':').at(-1))
  const ca: string = driver.scheme === 'tls' ? JSON.parse(readFileSync(certificateFile(), 'utf8')).ca : ''
  const session = () => open(port, driver.scheme, ca)
  const files = openFiles(server)
  const sockets = [await session()] // what only the first session costs is not a session's
  await accepted(server, files + 1)
  await memory(server) // nor what the first collection
  const before = await memory(server)
  while (sockets.length <= trial.connections) sockets.push(...(await Promise.all(Array.from({ length: BATCH }, session))))
  await accepted(server, files + sockets.length)
  const after = await memory(server)
  for (const socket of sockets) socket.destroy()
  await server.program.stop()
  return { bytes_per_session: (after.rss - before.rss) / (sockets.length - 1) }
}

/** The server's heap after each of several loads. */
export async function heap(driver: Driver, trial: Trial, settings: Settings): Promise<Measurement> {
  const server = await startServer(driver, trial, exposingGc(settings))
  const part = { ...trial, share: trial.share / LOADS }
  const heaps: number[] = []
  let calls = 0
  for (let i = 0; i < LOADS; i++) {
    calls += (await loadClient<{ calls: number }>([], part, [server], settings)).calls
    heaps.push((await memory(server)).heapUsed)
  }
  await server.program.stop()
  const [, warm] = heaps
  return { calls, heaps, heap_growth: (heaps.at(-1)! - warm) / warm }
}
