import { connect, createServer } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { InOrder } from '../peers/in-order.mjs'
import { frameReader, frameWriter, Kind } from '../peers/net-frames.mjs'

export const label = 'bare node:net'
export const payloads = ['json']
export const schemes = ['tls']

const BACKLOG = 4096
const RECEIVE_BYTES = 64 * 1024

export async function serve({ port, certificate }) {
  let pushes = 0
  const onSocket = (socket) => {
    const writer = frameWriter(socket)
    const read = frameReader((body, kind) => {
      if (kind === Kind.Push) pushes++
      else writer.add(kind === Kind.Call ? body : pushes, kind)
    })
    socket.on('data', (chunk) => {
      try {
        read(chunk)
        writer.flush()
      } catch {
        socket.destroy() // not JSON
      }
    })
    socket.on('error', () => socket.destroy())
  }
  const server =
    certificate === undefined
      ? createServer({ noDelay: true }, onSocket)
      : createTlsServer({ noDelay: true, key: certificate.key, cert: certificate.cert }, onSocket)
  await new Promise((resolve, reject) => server.once('error', reject).listen({ port, host: '127.0.0.1', backlog: BACKLOG }, resolve))
  return { address: `127.0.0.1:${server.address().port}` }
}

export async function dial(address, { certificate }) {
  const waiting = new InOrder()
  const read = frameReader((body) => waiting.settle(body))
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES)
  const [host, port] = address.split(':')
  const socket = (certificate === undefined ? connect : connectTls)({
    ...(certificate !== undefined && { ca: certificate.ca }),
    host,
    port,
    noDelay: true,
    // One receive buffer for ever: frames are decoded before it is read into again.
    onread: {
      buffer,
      callback(size) {
        read(buffer.subarray(0, size))
        return true
      },
    },
  })
  await new Promise((resolve, reject) =>
    socket.once(certificate === undefined ? 'connect' : 'secureConnect', resolve).once('error', reject),
  )
  const writer = frameWriter(socket)
  let flushing = false
  const flush = () => {
    flushing = false
    writer.flush()
  }
  const send = (body, kind) => {
    writer.add(body, kind)
    // After all calls that this turn's replies give rise to.
    if (flushing) return
    flushing = true
    process.nextTick(flush)
  }
  const ask = (body, kind) => {
    send(body, kind)
    return waiting.next()
  }
  socket.on('error', () => {}).on('close', () => waiting.fail(new Error('the server closed the connection')))
  return {
    call: (value) => ask(value, Kind.Call),
    push: (value) => send(value, Kind.Push),
    pushed: () => ask(null, Kind.CountPushes),
    close: () => socket.destroy(),
  }
}
