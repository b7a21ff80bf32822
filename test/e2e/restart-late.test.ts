import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { certificates } from '../support/certificates.ts'
import { frame } from '../support/frames.ts'
import { endpoint, onEachTransport } from '../support/helpers.ts'
import { RawPeer } from '../support/raw-peer.ts'
import { gone, Restarting } from '../support/restarting.ts'
import { upgrade } from '../support/web-socket.ts'

const OK = '{"code":0,"msg":"","cause":""}'
const call = frame({ seq: '2', type: 1, method: '/pid', status: OK, codec: 106, body: 'null' })

/** Milliseconds between the last accept of the old process and its drain, and those for which it then does nothing. */
const GRACE = 1000
const STALL = 1500

async function connected(t: TestContext, url: string): Promise<Socket> {
  const place = url.startsWith('unix:') ? url.slice('unix://'.length) : Number(new URL(url.replace(/^\w+:/, 'http:')).port)
  const socket = connect(place as number)
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await event(socket, 'connect')
  return socket
}

/** The text that an HTTP server answers first. */
async function answered(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) {
    chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    if (/\r\n\r\n./s.test(text)) return text
  }
  return `closed after ${JSON.stringify(Buffer.concat(chunks).toString())}`
}

/** The body of the reply to the first call on a connection. */
async function replied(peer: RawPeer): Promise<string> {
  if (peer.socket.destroyed) throw new Error('closed before')
  peer.send(call)
  const [{ body }] = await peer.received(1)
  return body
}

onEachTransport('a process that was replaced', (transport) => {
  const options = { skip: typeof transport !== 'string', timeout: 30_000 }

  it('serves who has connected to it and asks late, however busy it is meanwhile', options, async (t) => {
    const { server: tls, authority } = certificates()
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-late-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const app = new Restarting(t, {
      transport,
      grace: GRACE,
      urls: ['tcp://127.0.0.1:0', `unix://${folder}/app.sock`, 'tls://127.0.0.1:0', 'ws://127.0.0.1:0/rpc', 'wss://127.0.0.1:0/rpc'],
      mixed: 'tcp://127.0.0.1:0',
      http: 'tcp://127.0.0.1:0',
      tls: { key: String(tls.key), cert: String(tls.cert) },
    })
    const { pid, urls, http } = await app.serving()
    const [tcp, unix, secure, ws, wss, mixed] = urls
    const staller = await endpoint(t, { transport, protocol: 'raw' }).dial(tcp)
    const idle = await endpoint(t, { transport, protocol: 'raw', redial: { minDelay: 5, maxDelay: 50 } }).dial(tcp)
    const told = Promise.race(['draining', 'redialing', 'close'].map((name) => event(idle, name).then(() => name)))
    // Nothing but connections, some of which have shaken hands.
    const sockets: Socket[] = []
    const open = async (url: string): Promise<Socket> => {
      const socket = await connected(t, url)
      sockets.push(socket)
      return socket
    }
    const plain = [await open(tcp), await open(unix), await open(mixed)]
    const requesting = [await open(mixed), await open(http as string)]
    const agreed = await open(ws)
    await upgrade(agreed, '/rpc')
    const unsure = { ws: await open(ws), wss: await open(wss), tls: await open(secure) }
    const shaken = await secured(await open(secure), authority.cert)
    // And who has asked before, and is nobody that can be notified.
    const stranger = new RawPeer(await open(tcp))
    const browsing = await open(http as string)
    browsing.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    assert.deepEqual([await replied(stranger), (await event(browsing, 'data')).length], [`${pid}`, 1])
    process.kill(pid, 'SIGUSR2')
    const next = await app.serving()
    await staller.push('/stall', STALL)
    await app.stalled
    // From here on the old process finds all that is sent only when its time to drain has come.
    const bodies = [
      ...plain.map((socket) => replied(new RawPeer(socket))),
      replied(new RawPeer(agreed, true)),
      replied(new RawPeer(shaken)),
      secured(unsure.tls, authority.cert).then((socket) => replied(new RawPeer(socket))),
      upgrade(unsure.ws, '/rpc').then(() => replied(new RawPeer(unsure.ws, true))),
      secured(unsure.wss, authority.cert).then(async (socket) => {
        await upgrade(socket, '/rpc')
        return replied(new RawPeer(socket, true))
      }),
    ]
    const again = stranger.received(2)
    stranger.send(call)
    const texts = [...requesting, browsing].map((socket, i) => {
      socket.write(
        `${i === 0 ? 'POST /pid' : 'GET /'} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n`,
      )
      return answered(socket)
    })
    assert.deepEqual(
      (await Promise.allSettled(bodies)).map((result) => (result.status === 'fulfilled' ? result.value : `${result.reason}`)),
      bodies.map(() => `${pid}`),
    )
    assert.equal((await again)[1].body, `${pid}`)
    for (const text of await Promise.all(texts)) assert.match(text, new RegExp(`^HTTP/1.1 200 .+\\b${pid}$`, 's'))
    for (const socket of sockets) socket.destroy()
    assert.equal(await told, 'draining', 'also who has said nothing at all so far is told')
    assert.equal(await idle.call('/pid'), next.pid)
    await gone(pid)
  })
})

async function secured(socket: Socket, ca: string): Promise<Socket> {
  const secure = connectTls({ socket, ca, servername: 'localhost' })
  secure.on('error', () => {})
  await Promise.race([event(secure, 'secureConnect'), event(secure, 'close')])
  return secure
}
