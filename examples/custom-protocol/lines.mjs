// A protocol of one's own: each message is a line of four fields, `seq TAB type TAB method TAB body`. node examples/custom-protocol/lines.mjs
import { Endpoint } from 'dmicro'

/** @type {import('dmicro').Proto} */
const lines = {
  id: 200, // 1 to 255, not one of another protocol here
  name: 'lines',
  framing: 'stream', // we find our messages in the bytes ourselves

  open({ limits }) {
    let searched = 0 // bytes of the unfinished line that have no line end: they come again with what follows
    return {
      pack({ type, seq, method, statusText, codec, body }) {
        const fail = statusText !== ''
        if (!fail && body !== null && codec !== 106) throw new TypeError('lines carry bodies of codec json only')
        const text = fail ? statusText : Buffer.from(body ?? '').toString() // a body is text or bytes
        if (/[\t\n]/.test(method) || text.includes('\n')) throw new TypeError('a tab or line break would end the field')
        return `${seq}\t${fail ? 'ERROR' : names[type]}\t${method}\t${text}\n`
      },

      unpack(bytes, start, end, message) {
        const found = bytes.subarray(start + searched, end).indexOf(0x0a)
        const size = found < 0 ? end - start : searched + found + 1
        if (size > limits.maxMessage) throw new Error('line too long')
        searched = found < 0 ? size : 0
        if (found < 0) return 0 // more bytes, please

        const line = LINE.exec(bytes.toString('utf8', start, start + size - 1))
        if (line === null) throw new Error('not a line of ours') // the session closes
        const [, seq, type, method, text] = line
        message.type = types[type]
        message.seq = Number(seq)
        message.method = method
        message.setBody(Buffer.from(text))
        if (type === 'ERROR') [message.statusEnd, message.bodyEnd] = [message.bodyEnd, 0]
        else message.codec = 106
        return size
      },
    }
  },
}

const LINE = /^(-?\d{1,10})\t(CALL|REPLY|ERROR|PUSH)\t([^\t]*)\t([^\n]*)$/
const names = ['', 'CALL', 'REPLY', 'PUSH'] // by message type
const types = { CALL: 1, REPLY: 2, PUSH: 3, ERROR: 2 }

const server = new Endpoint({ protocols: [lines] })
server.routeCall('/math/add', (numbers) => numbers.reduce((a, b) => a + b, 0))
const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['lines'] })

const client = new Endpoint({ protocols: [lines] })
const session = await client.dial(url, { protocol: 'lines' })
console.log('on the wire: 1 TAB CALL TAB /math/add TAB [1,2,3]')
console.log('call /math/add [1,2,3] ->', await session.call('/math/add', [1, 2, 3]))
await session.call('/nothing').catch((e) => console.log('call /nothing         ->', e.code, e.message))
await client.close()
await server.close()
