/** How a stranger writes a good call in each protocol, and the bytes of which bad ones are made. */
export interface Speaker {
  readonly name: string
  /** A call of the route that returns its argument. `body` is JSON; redis takes it as an argument. */
  call(body: string | Buffer, more?: { seq?: number; method?: string; meta?: string }): Buffer
  /** Smallest bytes after which a message is begun and not complete. */
  readonly half: Buffer
}

export function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes
}

/** The envelope of docs/spec/wire.md#envelope. */
export function envelope(payload: Buffer | string, filters: readonly number[] = []): Buffer {
  const rest = Buffer.concat([Buffer.from([filters.length, ...filters]), Buffer.from(payload as string)])
  return Buffer.concat([u32(rest.length), rest])
}

export function jsonDocument(body: string | Buffer, { seq = 1, method = '/echo', meta = '{}', type = 1, codec = 106 } = {}): Buffer {
  const quoted = Buffer.isBuffer(body) ? Buffer.from(JSON.stringify(body.toString('latin1')), 'latin1') : Buffer.from(JSON.stringify(body))
  const head = `{"mtype":${type},"seq":${seq},"serviceMethod":${JSON.stringify(method)},"status":"","meta":${JSON.stringify(meta)},"bodyCodec":${codec},"body":`
  return Buffer.concat([Buffer.from(head), quoted, Buffer.from('}')])
}

/** A protobuf field with a length. */
export function field(number: number, bytes: Buffer | string): Buffer {
  const content = Buffer.from(bytes as string)
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content])
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

export function pbMessage(body: string | Buffer, { seq = 1, method = '/echo', meta = '', type = 1, codec = 106 } = {}): Buffer {
  const numbers = Buffer.concat([Buffer.from([0x08]), varint(seq), Buffer.from([0x10]), varint(type)])
  const parts = [
    numbers,
    field(3, method),
    meta === '' ? Buffer.alloc(0) : field(5, meta),
    Buffer.from([0x30]),
    varint(codec),
    field(7, body),
  ]
  return Buffer.concat(parts)
}

export function bulks(...words: (string | Buffer)[]): Buffer {
  const parts = words.map((word) =>
    Buffer.concat([Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word as string), Buffer.from('\r\n')]),
  )
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts])
}

export const speakers: Record<'json' | 'protobuf' | 'http' | 'jsonrpc' | 'redis', Speaker> = {
  json: { name: 'json', call: (body, more) => envelope(jsonDocument(body, more)), half: envelope(jsonDocument('1')).subarray(0, 30) },
  protobuf: { name: 'protobuf', call: (body, more) => envelope(pbMessage(body, more)), half: envelope(pbMessage('1')).subarray(0, 9) },
  http: {
    name: 'http',
    call(body, { method = '/echo', meta = '{}' } = {}) {
      const lines = Object.entries(JSON.parse(meta) as Record<string, string>).map(([key, value]) => `${key}: ${value}\r\n`)
      const head = `POST ${method} HTTP/1.1\r\nHost: x\r\n${lines.join('')}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
      return Buffer.concat([Buffer.from(head), Buffer.from(body as string)])
    },
    half: Buffer.from('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1'),
  },
  jsonrpc: {
    name: 'jsonrpc',
    call(body, { seq = 1, method = '/echo', meta } = {}) {
      const context = meta === undefined ? '' : `,"context":${meta}`
      const head = `{"jsonrpc":"2.0","id":${seq},"method":${JSON.stringify(method)}${context},"params":`
      return Buffer.concat([Buffer.from(head), Buffer.from(body as string), Buffer.from('}\r\n')])
    },
    half: Buffer.from('{"jsonrpc":"2.0","id":1'),
  },
  redis: { name: 'redis', call: (body, { method = 'echo' } = {}) => bulks(method, body), half: Buffer.from('*2\r\n$4\r\necho\r\n$9\r\n1') },
}
