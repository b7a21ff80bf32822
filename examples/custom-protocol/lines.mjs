// A protocol of your own, to copy: each message is a line of JSON.
// Run it with: node examples/custom-protocol/lines.mjs
import { Endpoint } from 'dmicro'

/** @type {import('dmicro').Proto} */
const lines = {
  id: 200, // 1 to 255, not one of another protocol here
  name: 'lines',
  framing: 'stream', // unpack finds the messages in the bytes
  open: () => ({
    searched: 0, // bytes of an unfinished line that were searched: they come again with what follows
    pack: ({ type, seq, method, status, meta, codec, body }) =>
      `${JSON.stringify([type, seq, method, status, meta, codec, body === null ? '' : Buffer.from(body).toString('latin1')])}\n`,
    unpack(bytes, start, end, message) {
      const found = bytes.subarray(start + this.searched, end).indexOf(0x0a)
      const size = found < 0 ? 0 : this.searched + found + 1
      this.searched = found < 0 ? end - start : 0
      if (size === 0) return 0 // more bytes, please
      const [type, seq, method, status, meta, codec, body] = JSON.parse(bytes.toString('utf8', start, start + size))
      Object.assign(message, { type, seq, method, status: status ?? undefined, meta, codec })
      message.setBody(Buffer.from(body, 'latin1'))
      return size // what throws closes the session, and so does a line over limits.maxMessage
    },
  }),
}

const server = new Endpoint({ protocols: [lines] })
server.routeCall('/math/add', (numbers) => numbers.reduce((a, b) => a + b, 0))
const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['lines'] })

const client = new Endpoint({ protocols: [lines] })
const session = await client.dial(url, { protocol: 'lines' })
console.log('call /math/add [1,2,3] ->', await session.call('/math/add', [1, 2, 3]))
await session.call('/nothing').catch((e) => console.log('call /nothing ->', e.code, e.message))
await client.close()
await server.close()
