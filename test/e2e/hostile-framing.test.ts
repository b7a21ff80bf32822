import assert from 'node:assert/strict'
import { it } from 'node:test'
import { onEachTransport, pair } from '../support/helpers.ts'
import { compareTransports, feed, note, type Row, victim } from '../support/hostile.ts'
import { envelope, field, jsonDocument, pbMessage, speakers, u32, varint } from '../support/hostile-protocols.ts'

const maxMessage = 100_000
const limits = { maxMessage }
const TOO_SHORT = 'frame shorter than its header'
const TOO_LARGE = 'frame larger than the limit'
const MALFORMED = 'bytes that are not the protocol'
const TYPE = 'unknown message type'
const SEQ = 'bad sequence number'

const lengths = [maxMessage + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

/** What holds for both protocols in an envelope. */
function envelopes(whole: Buffer, withType: (type: number) => Buffer): Row[] {
  return [
    { row: 'F1', what: 'size 0', bytes: u32(0), closes: TOO_SHORT },
    { row: 'F1', what: 'of two faults in one read the first is told', bytes: Buffer.concat([envelope(withType(9)), u32(0)]), closes: TYPE },
    ...[maxMessage - 3, ...lengths].map(
      (size): Row => ({ row: 'F2', what: `size ${size}, then silence`, bytes: u32(size), closes: TOO_LARGE }),
    ),
    ...[0, 4, 5, 255].map((type): Row => ({ row: 'F7', what: `type ${type}`, bytes: envelope(withType(type)), closes: TYPE })),
    { row: 'F7', what: 'an unknown filter', bytes: envelope(whole, [0x21]), closes: 'unknown transfer filter' },
    ...[5, 16, 255].map((count): Row => {
      const bytes = envelope(whole, Array<number>(count).fill(0x7a))
      return { row: 'F8', what: `${count} filters`, bytes, closes: 'too many transfer filters' }
    }),
    {
      row: 'F8',
      what: 'the same filter four times around what is none',
      bytes: envelope(whole, [0x7a, 0x7a, 0x7a, 0x7a]),
      closes: 'bytes that a transfer filter refused',
    },
    { row: 'F8', what: 'more filters than the size has room for', bytes: Buffer.concat([u32(2), Buffer.from([2])]), closes: TOO_SHORT },
  ]
}

const ok = '"status":"","meta":"{}","bodyCodec":106,"body":"1"'

const rows: Record<keyof typeof speakers, readonly Row[]> = {
  json: [
    ...envelopes(jsonDocument('1'), (type) => jsonDocument('1', { type })),
    { row: 'F1', what: 'an empty payload', bytes: envelope(''), closes: MALFORMED },
    ...['1e400', '2147483648', '-2147483649', '1.5', '""', '"x"', '"1e1"', '{}', '[]', 'true'].map((seq): Row => {
      const closes = /^[-\d"]/.test(seq) ? SEQ : MALFORMED
      return { row: 'F9', what: `seq ${seq}`, bytes: envelope(`{"mtype":1,"seq":${seq},"serviceMethod":"/echo",${ok}}`), closes }
    }),
    {
      row: 'F9',
      what: 'a reply to nothing, twice',
      bytes: Buffer.concat([envelope(jsonDocument('1', { type: 2, seq: 77 })), envelope(jsonDocument('1', { type: 2, seq: 77 }))]),
    },
    { row: 'F13', what: 'trailing bytes', bytes: envelope(`${jsonDocument('1')}x`), closes: MALFORMED },
    {
      row: 'F9',
      what: 'one seq twice in flight',
      bytes: envelope(jsonDocument('1')).toString('latin1').repeat(2),
      says: /(?:"seq":1,[\s\S]*){3}/,
    },
    { row: 'F13', what: 'a second document', bytes: envelope(`${jsonDocument('1')}${jsonDocument('1')}`), closes: MALFORMED },
    { row: 'F13', what: 'cut short', bytes: envelope(jsonDocument('1').subarray(0, -3)), closes: MALFORMED },
    { row: 'F7', what: 'a codec id over 255', bytes: envelope(jsonDocument('1', { codec: 256 })), closes: MALFORMED },
    { row: 'F7', what: 'a codec nobody has', bytes: envelope(jsonDocument('1', { codec: 7 })), says: /"code\\":(400|500)/ },
  ],
  protobuf: [
    ...envelopes(pbMessage('1'), (type) => pbMessage('1', { type })),
    { row: 'F1', what: 'an empty payload', bytes: envelope(''), closes: TYPE },
    {
      row: 'F13',
      what: 'a length past the end',
      bytes: envelope(Buffer.concat([pbMessage('1'), Buffer.from([0x3a, 0x7f, 0x31])])),
      closes: MALFORMED,
    },
    {
      row: 'F13',
      what: 'a negative length',
      bytes: envelope(Buffer.concat([pbMessage('1'), Buffer.from([0x3a]), varint(-1)])),
      closes: MALFORMED,
    },
    {
      row: 'F13',
      what: 'a tag and nothing behind it',
      bytes: envelope(Buffer.concat([pbMessage('1'), Buffer.from([0x3a])])),
      closes: MALFORMED,
    },
    {
      row: 'F9',
      what: 'a reply to nothing, twice',
      bytes: Buffer.concat([envelope(pbMessage('1', { type: 2, seq: 77 })), envelope(pbMessage('1', { type: 2, seq: 77 }))]),
    },
    {
      row: 'F9',
      what: 'one seq twice in flight',
      bytes: Buffer.concat([envelope(pbMessage('"one"')), envelope(pbMessage('"two"'))]),
      says: /"one"[\s\S]*"two"/,
    },
    {
      row: 'F11',
      what: 'a method that is no UTF-8',
      bytes: envelope(Buffer.concat([Buffer.from([0x10, 1]), field(3, Buffer.from([0xff]))])),
      closes: MALFORMED,
    },
    { row: 'F7', what: 'a codec nobody has', bytes: envelope(pbMessage('1', { codec: 7 })), says: /"code":(400|500)/ },
  ],
  http: [
    ...lengths.map(
      (length): Row => ({
        row: 'F2',
        what: `Content-Length ${length}`,
        bytes: `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`,
        closes: TOO_LARGE,
        says: /^HTTP\/1\.1 413 /,
      }),
    ),
    ...['', '-1', '+1', '1x', '0x10', '1,1', '1 1', '9'.repeat(30)].map(
      (length): Row => ({
        row: 'F1',
        what: `Content-Length ${JSON.stringify(length)}`,
        bytes: `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`,
        closes: MALFORMED,
        says: /^HTTP\/1\.1 400 /,
      }),
    ),
    ...['HTTP/2.0', 'HTTP/0.9', 'HTTP/9.9'].map(
      (version): Row => ({
        row: 'F7',
        what: version,
        bytes: `GET /echo ${version}\r\nHost: x\r\n\r\n`,
        closes: 'unknown protocol version',
        says: /^HTTP\/1\.1 505 /,
      }),
    ),
    ...['0', '4', '5', '255', 'x', '-1', '1.0'].map(
      (type): Row => ({
        row: 'F7',
        what: `X-MType ${type}`,
        bytes: `POST /echo HTTP/1.1\r\nX-Seq: 1\r\nX-MType: ${type}\r\nContent-Length: 1\r\n\r\n1`,
        closes: TYPE,
        says: /^HTTP\/1\.1 400 /,
      }),
    ),
    ...['', 'x', '2147483648', '-2147483649', '1.5', '1 2'].map(
      (seq): Row => ({
        row: 'F9',
        what: `X-Seq ${JSON.stringify(seq)}`,
        bytes: `POST /echo HTTP/1.1\r\nX-Seq: ${seq}\r\nX-MType: 1\r\nContent-Length: 1\r\n\r\n1`,
        closes: SEQ,
        says: /^HTTP\/1\.1 400 /,
      }),
    ),
    {
      row: 'F9',
      what: 'one X-Seq twice in flight',
      bytes: 'POST /echo HTTP/1.1\r\nX-Seq: 7\r\nX-MType: 1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1'.repeat(2),
      says: /(?:X-Seq: 7\r\n[\s\S]*){2}/,
    },
    { row: 'F9', what: 'a reply to nothing', bytes: 'HTTP/1.1 200 OK\r\nX-Seq: 7\r\nX-MType: 2\r\nContent-Length: 0\r\n\r\n' },
    {
      row: 'F8',
      what: 'gzip twice',
      bytes: 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\n1',
      closes: 'unknown transfer filter',
      says: /^HTTP\/1\.1 4/,
    },
    {
      row: 'F7',
      what: 'an unknown Content-Encoding',
      bytes: 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\n1',
      closes: 'unknown transfer filter',
      says: /^HTTP\/1\.1 4/,
    },
  ],
  jsonrpc: [
    { row: 'F2', what: 'a line over the limit', bytes: `{"jsonrpc":"2.0",${' '.repeat(maxMessage)}`, closes: TOO_LARGE },
    { row: 'F1', what: 'empty lines', bytes: '\n\r\n  \r\n\t\n' },
    { row: 'F9', what: 'a reply to nothing, twice', bytes: '{"jsonrpc":"2.0","id":7,"result":1}\n{"jsonrpc":"2.0","id":7,"result":1}\n' },
    { row: 'F13', what: 'trailing bytes', bytes: '{"jsonrpc":"2.0","id":7,"method":"/echo"}x\n', says: /-32700/ },
    { row: 'F13', what: 'cut short', bytes: '{"jsonrpc":"2.0","id":7,"method":"/ech\n', says: /-32700/ },
  ],
  redis: [
    { row: 'F1', what: 'arrays of nothing', bytes: '*0\r\n*-1\r\n\r\n' },
    ...['1048577', '2147483647', '2147483648', '4294967295', '9'.repeat(19)].map(
      (count): Row => ({ row: 'F2', what: `*${count}`, bytes: `*${count}\r\n`, closes: TOO_LARGE, says: /^-ERR Protocol error/ }),
    ),
    ...lengths.map(
      (length): Row => ({ row: 'F2', what: `$${length}`, bytes: `*1\r\n$${length}\r\n`, closes: TOO_LARGE, says: /^-ERR Protocol error/ }),
    ),
    ...[
      '*',
      '*x\r\n',
      '*1x\r\n',
      '* 1\r\n',
      '*1\n',
      '*1\r\n+PING\r\n',
      '*1\r\n$-1\r\n',
      '*1\r\n$-9\r\n',
      '$4\r\nPING\r\n',
      '*1\r\n$x\r\n',
      '*1\r\n$4\r\nPINGxx',
      `*${'1'.repeat(30)}`,
    ]
      .filter((bytes) => bytes !== '*')
      .map((bytes): Row => ({ row: 'F13', what: JSON.stringify(bytes), bytes, closes: MALFORMED, says: /^-ERR Protocol error/ })),
    { row: 'F2', what: 'a line over the limit', bytes: 'x'.repeat(70_000), closes: TOO_LARGE },
  ],
}

onEachTransport('hostile framing', (transport) => {
  for (const speaker of Object.values(speakers)) {
    const { name } = speaker
    const quoted = (token: string): string => (name === 'redis' ? token : `"${token}"`)

    it(`${name}: what cannot be a message is refused, and the rest goes on`, (t) =>
      feed(t, transport, name, rows[name as keyof typeof rows], (token) => speaker.call(quoted(token)), { limits }))

    it(`${name}: lengths that are refused cost no memory (F2)`, async (t) => {
      const target = await victim(t, transport, name, { limits })
      const announced = rows[name as keyof typeof rows].filter(({ row, closes }) => row === 'F2' && closes !== undefined)
      const before = process.memoryUsage().rss
      await target.meanwhile(async () => {
        for (let i = 0; i < 20; i++) {
          for (const { bytes } of announced) {
            const stranger = await target.stranger()
            stranger.send(bytes)
            await stranger.closed
          }
        }
      })
      // With IO threads a peer may see the end of its connection before this thread does.
      while (target.server.stats.violations < 20 * announced.length) await new Promise(setImmediate)
      assert.equal(target.server.stats.violations, 20 * announced.length)
      assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
    })

    it(`${name}: a call cut at every byte, and byte by byte (F3)`, async (t) => {
      const target = await victim(t, transport, name)
      const stranger = await target.stranger()
      const length = speaker.call(quoted('cut0000')).length
      for (let cut = 1; cut < length; cut++) {
        const token = `cut${String(cut).padStart(4, '0')}`
        const bytes = speaker.call(quoted(token))
        stranger.send(bytes.subarray(0, cut))
        // The two parts are two reads: the first was answered to, or the loop turned, when the control session has its answer.
        await target.control.call('/echo', cut)
        stranger.send(bytes.subarray(cut))
        await stranger.hears(token)
      }
      for (const byte of speaker.call(quoted('bytewise'))) stranger.send(Buffer.from([byte]))
      await stranger.hears('bytewise')
      note(`${name} F3`, transport, stranger.received)
      assert.equal(target.server.stats.violations, 0)
    })

    it(`${name}: 20,000 calls in one chunk, in order (F4)`, async (t) => {
      const target = await victim(t, transport, name)
      let next = 0
      let inOrder = true
      target.server.routeCall(name === 'redis' ? '/redis/n' : '/n', (value: unknown) => {
        inOrder &&= Number(Array.isArray(value) ? value[0] : value) === next++
        return 'done'
      })
      const stranger = await target.stranger()
      const method = name === 'redis' ? 'n' : '/n'
      const calls = Array.from({ length: 20_000 }, (_, n) => speaker.call(String(n), { seq: n + 1, method }))
      await target.meanwhile(async () => {
        stranger.send(Buffer.concat([...calls, speaker.call(quoted('last'))]))
        await stranger.hears('last')
      })
      assert.equal(next, 20_000)
      assert.ok(inOrder)
    })

    it(`${name}: a large message in small chunks arrives whole (F5)`, async (t) => {
      const target = await victim(t, transport, name)
      const stranger = await target.stranger()
      const text = `${'x'.repeat(1024 * 1024)}end`
      const bytes = speaker.call(quoted(text))
      for (let at = 0; at < bytes.length; at += 64) stranger.socket.write(bytes.subarray(at, at + 64))
      await stranger.until((received) => received.length > text.length && received.includes('xend'))
      assert.equal(target.server.stats.violations, 0)
    })

    it(`${name}: half a message and then silence, or a drip, is closed in time; silence between messages is not (F6, M5)`, async (t) => {
      const target = await victim(t, transport, name, { limits: { frameTimeout: 60 } })
      const idle = await target.stranger()
      idle.send(speaker.call(quoted('before')))
      await idle.hears('before')
      await target.meanwhile(async () => {
        const halves = await Promise.all(Array.from({ length: 20 }, () => target.stranger()))
        for (const stranger of halves) stranger.send(speaker.half)
        const drip = await target.stranger()
        const slow = speaker.call(quoted('x'.repeat(5000)))
        let at = 0
        const timer = setInterval(() => drip.send(slow.subarray(at, ++at)), 5)
        await Promise.all([...halves, drip].map((stranger) => stranger.closed))
        clearInterval(timer)
        while (target.reasons().length < 21) await target.control.call('/echo', 0)
      })
      assert.deepEqual(new Set(target.reasons()), new Set(['frame not completed in time']))
      assert.equal(target.server.stats.violations, 21)
      idle.send(speaker.call(quoted('after')))
      await idle.hears('after')
    })

    it(`${name}: names of every kind are answered and leave nothing behind (F11)`, async (t) => {
      const target = await victim(t, transport, name)
      const stranger = await target.stranger()
      const long = name === 'http' ? `/${'x'.repeat(300)}` : 'x'.repeat(300)
      const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', `y${'x'.repeat(254)}`, long]
      if (name !== 'http') names.push('a\0b', '世界', 'a b')
      await target.meanwhile(async () => {
        for (const method of names) {
          stranger.send(speaker.call('1', { method: name === 'http' ? `/${method}` : method }))
          const token = `named${method.length}`
          stranger.send(speaker.call(quoted(token)))
          await stranger.hears(token)
        }
        const many = Array.from({ length: 5000 }, (_, n) => speaker.call('1', { method: name === 'http' ? `/name/${n}` : `name${n}` }))
        stranger.send(Buffer.concat([...many, speaker.call(quoted('many'))]))
        await stranger.hears('many')
      })
      note(`${name} F11`, transport, stranger.received)
      assert.match(stranger.received, /404|unknown command|-32601/)
      assert.equal(target.server.stats.violations, 0)
    })
  }
})

onEachTransport('limits', (transport) => {
  for (const name of ['json', 'protobuf'] as const) {
    it(`${name}: both sides refuse above maxMessage, and not a byte below it (F2)`, async (t) => {
      const options = { protocol: name, limits: { maxMessage: 700 } }
      const { server, session } = await pair(t, transport, { server: options, client: options })
      server.routeCall('/length', (text: string) => text.length)
      const { call } = speakers[name]
      // What the peer of ours writes is a few bytes longer or shorter than what the stranger does.
      let longest = 0
      for (let length = 300; length < 700; length++) {
        const answered = await session.call('/length', 'x'.repeat(length)).then(
          (value) => value === length,
          (error) => assert.deepEqual([error.code, error.cause], [104, 'message over the size limit']) ?? false,
        )
        if (answered) longest = length
        else break
      }
      assert.ok(longest > 500, `only ${longest}`)
      note(`${name} writes`, transport, longest)
      const target = await victim(t, transport, name, { limits: { maxMessage: 700 } })
      target.server.routeCall('/length', (text: string) => `${text.length} letters`)
      const overhead = call(`"${'y'.repeat(300)}"`, { method: '/length' }).length - 300
      const stranger = await target.stranger()
      stranger.send(call(`"${'y'.repeat(700 - overhead)}"`, { method: '/length' }))
      await stranger.hears(`${700 - overhead} letters`)
      stranger.send(call(`"${'y'.repeat(700 - overhead + 1)}"`, { method: '/length' }))
      await stranger.closed
    })
  }
})

compareTransports()
