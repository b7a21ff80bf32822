import type { Proto } from '../../src/index.ts'

/** Lines of `type seq method status codec body`, each but the numbers as JSON. */
export const lines: Proto = {
  id: 200,
  name: 'lines',
  framing: 'stream',
  match: (bytes) => (bytes.length === 0 ? undefined : bytes[0] === 0x21),

  open() {
    let scanned = 0
    return {
      pack({ type, seq, method, statusText, metaText, codec, body }) {
        const text = body === null ? '' : Buffer.from(body as string).toString('latin1')
        return `!${JSON.stringify([type, seq, method, statusText, metaText, codec, text])}\n`
      },
      unpack(bytes, start, end, message) {
        const newline = bytes.subarray(start, end).indexOf(0x0a, scanned)
        scanned = newline < 0 ? end - start : 0
        if (newline < 0) return 0
        const [type, seq, method, statusText, metaText, codec, body] = JSON.parse(bytes.toString('utf8', start + 1, start + newline))
        message.type = type
        message.seq = seq
        message.method = method
        if (statusText !== '') {
          const { code, msg, cause } = JSON.parse(statusText)
          message.status = { code, message: msg, cause }
        }
        if (metaText !== '') message.meta = JSON.parse(metaText)
        message.codec = codec
        message.setBody(Buffer.from(body, 'latin1'))
        return newline + 1
      },
    }
  },
}

/** The same fields as the payload of an envelope. */
export const boxes: Proto = {
  id: 201,
  name: 'boxes',
  framing: 'envelope',
  match: (bytes) => (bytes.length < 6 ? undefined : bytes[0] === 0 && bytes[4] === 0 && bytes[5] === 0x21),

  open(link) {
    const inner = lines.open(link)
    return { pack: (message) => inner.pack(message), unpack: (...args) => inner.unpack(...args) }
  },
}
