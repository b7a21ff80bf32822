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
        const text = `${fail ? statusText : (body ?? '')}`
        if (/[\t\n]/.test(method) || text.includes('\n')) throw new TypeError('a tab or line break would end the field')
        return `${seq}\t${fail ? 'ERROR' : names[type]}\t${method}\t${text}\n`
      },

      unpack(bytes, start, end, message) {
        const found = bytes.subarray(start + searched, end).indexOf(0x0a)
        const size = found < 0 ? end - start : searched + found + 1
        if (size > limits.maxMessage) throw new Error('line too long')
        searched = found < 0 ? size : 0
        if (found < 0) return 0 // more bytes, please

        const line = bytes.subarray(start, start + size - 1)
        const tabs = [line.indexOf(0x09)]
        for (let i = 0; i < 2; i++) tabs.push(line.indexOf(0x09, tabs[i] + 1))
        const [seq, type, method] = line.toString('utf8', 0, tabs[2]).split('\t')
        if (tabs.includes(-1) || !/^-?\d{1,10}$/.test(seq) || !types.has(type)) throw new Error('not a line of ours')

        message.type = types.get(type)
        message.seq = Number(seq)
        message.method = method
        if (type === 'ERROR') {
          const { code, msg, cause } = JSON.parse(line.toString('utf8', tabs[2] + 1))
          message.status = { code, message: msg, cause }
        } else {
          message.codec = 106
          message.setBody(line.subarray(tabs[2] + 1))
        }
        return size
      },
    }
  },
}

const names = ['', 'CALL', 'REPLY', 'PUSH'] // by message type
const types = new Map([['CALL', 1], ['REPLY', 2], ['PUSH', 3], ['ERROR', 2]]) // biome-ignore format: a table

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
