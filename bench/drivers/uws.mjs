import { InOrder } from '../peers/in-order.mjs'
import { listen, uWS } from '../peers/uws.mjs'

export const label = 'uWebSockets.js'
export const payloads = ['json']
export const schemes = ['ws']

// uWebSockets.js brings these along; a user's ws is without them.
process.env.WS_NO_BUFFER_UTIL = '1'
process.env.WS_NO_UTF_8_VALIDATE = '1'
const { WebSocket } = await import('ws')

const TOPIC = 'all'
const MAX_PAYLOAD = 16 * 1024 * 1024

/** A text message is a call, a binary one a push. */
export async function serve({ port }) {
  let pushes = 0
  const app = uWS.App()
  app.ws('/*', {
    compression: uWS.DISABLED,
    maxPayloadLength: MAX_PAYLOAD,
    maxBackpressure: 0,
    open: (socket) => socket.subscribe(TOPIC),
    message(socket, bytes, isBinary) {
      const value = JSON.parse(Buffer.from(bytes).utf8Slice())
      if (isBinary) pushes++
      else socket.send(JSON.stringify(value))
    },
  })
  app.get('/pushed', (response) => {
    response.end(String(pushes))
  })
  return {
    address: await listen(app, port),
    publish: (value) => app.publish(TOPIC, JSON.stringify(value)),
  }
}

export async function dial(address) {
  const waiting = new InOrder()
  const socket = new WebSocket(`ws://${address}/`, { perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.on('message', (bytes) => waiting.settle(JSON.parse(bytes.utf8Slice())))
  socket.on('error', () => {}).on('close', () => waiting.fail(new Error('the server closed the connection')))
  return {
    call(value) {
      socket.send(JSON.stringify(value))
      return waiting.next()
    },
    push: (value) => socket.send(JSON.stringify(value), { binary: true }),
    pushed: async () => Number(await (await fetch(`http://${address}/pushed`)).text()),
    close: () => socket.close(),
  }
}
