// Writes the seed inputs of the fuzz targets into corpus/: `node test/native/fuzz/make-seeds.mjs`.
// Frames that Go writes come from test/vectors; the others are made here.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const here = new URL('./', import.meta.url)
const vectors = new Map(JSON.parse(readFileSync(new URL('../../vectors/raw.json', here), 'utf8')).map((v) => [v.name, v.hex]))

const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const go = (name) => hex(vectors.get(name))
const u32 = (number) => hex(number.toString(16).padStart(8, '0'))
const frame = (payload) => Buffer.concat([u32(6 + payload.length), hex('0100'), payload])
const text = (string) => Buffer.from(string, 'latin1')
const smallest = frame(hex('0131 01 00 0000 0000 6a'))

function write(target, seeds) {
  const folder = new URL(`corpus/${target}/`, here)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(seeds)) writeFileSync(new URL(`${name}.bin`, folder), bytes)
}

write('raw_proto', {
  'go-call': go('call-math-add'),
  'go-reply': go('reply-math-add'),
  'go-reply-404': go('reply-404'),
  'go-reply-escapes': go('reply-1001-everything'),
  'go-push-seq-min': go('push-seq-min'),
  'go-call-seq-max': go('call-seq-max'),
  'go-call-method-255': go('call-method-255'),
  'go-call-meta-unicode': go('call-meta-unicode'),
  'go-auth-call': go('auth-call'),
  'go-type-0': go('pack-type-0-everything-empty'),
  smallest,
  'payload-smallest': hex('0131 01 00 0000 0000 6a'),
  'payload-go-push': go('push-meta').subarray(6),
  'payload-seq-zeros': Buffer.concat([hex('ff'), text('0'.repeat(254)), hex('31 03 00 0000 0000 00')]),
  'payload-seq-signed': Buffer.concat([hex('08'), text('-00ZIK0Z'), hex('01 01 2f 0000 0002 7b7d 73')]),
  'payload-seq-too-large': Buffer.concat([hex('06'), text('zik0zk'), hex('01 00 0000 0000 00')]),
  'payload-method-overruns': hex('0131 01 ff 0000 0000 6a'),
  'payload-status-overruns': hex('0131 01 00 ffff 0000 6a'),
  'payload-meta-takes-codec': hex('0131 01 00 0000 0001 6a'),
  'version-2': Buffer.concat([smallest.subarray(0, 4), hex('02'), smallest.subarray(5)]),
  'one-filter': go('call-gzip'),
})

// Choices of framer_fuzz.cc: how chunks vary and how large they are, limits, flags, zeros to append, where to stop.
const choices = { chunks: 0x00, limit: 0x26, flags: 0, zeros: 0, stop: 0 }
const stream = (chosen, ...bytes) => Buffer.concat([Buffer.from(Object.values({ ...choices, ...chosen })), ...bytes])
const ONE_BYTE = 0x00
const UP_TO_8 = 0x53
const UP_TO_128 = 0x37
const ALL_AT_ONCE = 0xff
const RELEASE = 1
const STOP = 2
// The header of a large frame, whose body are the appended zeros.
const large = (size) => Buffer.concat([u32(size), hex('0100 0131 03 00 0000 0000 73')])

write('framer', {
  'go-call-and-reply': stream({ chunks: UP_TO_8 }, go('call-math-add'), go('reply-math-add')),
  'go-byte-by-byte': stream({ chunks: ONE_BYTE }, go('push-json-text'), go('reply-404'), go('push-seq-minus-1')),
  'go-at-once': stream({ chunks: ALL_AT_ONCE }, go('call-meta-sorted'), go('call-xml')),
  'go-then-filter': stream({ chunks: UP_TO_8 }, go('call-form'), go('call-gzip')),
  'smallest-many': stream({ chunks: UP_TO_8 }, ...Array(40).fill(smallest)),
  'smallest-stopped': stream({ chunks: ALL_AT_ONCE, flags: STOP, stop: 3 }, ...Array(8).fill(smallest)),
  'cut-in-prefix': stream({ chunks: ONE_BYTE }, smallest, smallest.subarray(0, 5)),
  'cut-in-body': stream({ chunks: UP_TO_8 }, smallest, go('call-math-add').subarray(0, 80)),
  'length-14': stream({}, smallest, u32(14)),
  'length-over-limit': stream({ limit: 0x21 }, smallest, u32(65)),
  'length-all-ones': stream({ limit: 0x07 }, hex('ffffffff 0100 0131')),
  'version-0': stream({}, smallest, hex('0000000f 00')),
  'filters-4': stream({ chunks: UP_TO_8 }, smallest, hex('0000000f 01 04 7a7a7a7a 0000000000'), smallest),
  'filters-large': stream({ chunks: UP_TO_128, zeros: 66 }, u32(128 * 66), hex('0102 7a35')),
  'filters-5': stream({}, smallest, hex('00000020 01 05')),
  'seq-bad': stream({ chunks: UP_TO_8 }, smallest, frame(hex('013f 01 00 0000 0000 6a')), smallest),
  'type-4': stream({ chunks: UP_TO_8 }, smallest, frame(hex('0131 04 00 0000 0000 6a')), smallest),
  'overrun-status': stream({ chunks: UP_TO_128 }, smallest, frame(hex('0131 01 00 00ff 0000 6a'))),
  'large-one': stream({ chunks: UP_TO_128, zeros: 66 }, large(128 * 66 + 15)),
  'large-released': stream({ chunks: 0x1c, flags: RELEASE, zeros: 255 }, smallest, large(128 * 255 - 1)),
  'large-unfinished': stream({ chunks: 0x2a, zeros: 200 }, large(60_000)),
  'large-overrun': stream({ chunks: 0x2a, zeros: 80 }, u32(10_000), hex('0100 0131 03 00 ffff')),
  'large-stopped': stream({ chunks: 0x1d, flags: RELEASE | STOP, zeros: 100 }, large(6000)),
})

// Choices of envelope_fuzz.cc: how chunks vary and how large they are, limits, flags, ninths of the bytes that are
// peeked at, zeros to append.
const around = { chunks: 0x00, limit: 0x26, flags: 0, peeked: 0, zeros: 0 }
const connection = (chosen, ...bytes) => Buffer.concat([Buffer.from(Object.values({ ...around, ...chosen })), ...bytes])
const envelope = (payload, filters = '') =>
  Buffer.concat([u32(1 + filters.length + payload.length), Buffer.from([filters.length]), text(filters), payload])
const RAW = 1
const STREAM = 2
const RELEASED = 4
const json = text('{"seq":1,"mtype":1,"serviceMethod":"/p","status":"{}","meta":"{}","bodyCodec":106,"body":"1"}')
const protobuf = hex('080110011a022f70306a3a0131')
const call = envelope(json)

write('envelope', {
  'json-byte-by-byte': connection({ chunks: ONE_BYTE }, call, call),
  'json-at-once': connection({ chunks: ALL_AT_ONCE }, call, call, call),
  'json-peeked': connection({ chunks: UP_TO_8, peeked: 1 }, call, call),
  'json-peeked-two': connection({ chunks: UP_TO_128, peeked: 24 }, call, call, call),
  'json-peeked-all': connection({ chunks: ALL_AT_ONCE, peeked: 255 }, call, call, call.subarray(0, 7)),
  'protobuf-many': connection({ chunks: UP_TO_8 }, ...Array(30).fill(envelope(protobuf))),
  'filters-two': connection({ chunks: UP_TO_8 }, envelope(protobuf, 'z5'), envelope(protobuf)),
  'filters-five': connection({}, envelope(protobuf), envelope(protobuf, 'zzzzz')),
  'filters-without-room': connection({}, hex('00000002 02')),
  'empty-many': connection({ chunks: UP_TO_8, peeked: 3 }, ...Array(40).fill(envelope(hex('')))),
  'size-0': connection({}, call, u32(0)),
  'size-at-limit': connection({ limit: 0x21 }, u32(60), hex('00'), Buffer.alloc(59)),
  'size-over-limit': connection({ limit: 0x21 }, u32(61)),
  'size-2-31': connection({ limit: 0x27 }, hex('80000000 00')),
  'size-all-ones': connection({ limit: 0x27, peeked: 1 }, hex('ffffffff 00')),
  'size-wraps': connection({ limit: 0x27 }, hex('fffffffc 00')),
  'cut-in-size': connection({ chunks: ONE_BYTE, peeked: 1 }, call.subarray(0, 3)),
  'large-one': connection({ chunks: UP_TO_128, zeros: 66 }, u32(128 * 66 + 1), hex('00')),
  'large-released': connection({ chunks: 0x1c, flags: RELEASED, peeked: 2, zeros: 255 }, call, u32(128 * 255 - 1), hex('00')),
  'large-unfinished': connection({ chunks: 0x2a, zeros: 200 }, u32(60_000), hex('00')),
  'raw-peeked': connection({ chunks: UP_TO_8, flags: RAW, peeked: 1 }, smallest, go('call-math-add'), smallest.subarray(0, 9)),
  'raw-peeked-many': connection({ chunks: UP_TO_128, flags: RAW, peeked: 60 }, ...Array(40).fill(smallest)),
  'raw-bad': connection({ flags: RAW, peeked: 1 }, smallest, hex('0000000f 02')),
  'stream-peeked': connection({ chunks: UP_TO_8, flags: STREAM, peeked: 2 }, text('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
  'stream-large': connection({ chunks: 0x2a, flags: STREAM, peeked: 255, zeros: 255 }, text('PING\r\n')),
})

// Choices of websocket_fuzz.cc: chunk, limit, flags (masked, compression).
const MASKED = 1
const COMPRESSION = 2
const webSocket = (chosen, ...bytes) => Buffer.concat([Buffer.from(Object.values({ chunk: 0, limit: 7, flags: 0, ...chosen })), ...bytes])
const masked = (first, payload) => {
  const mask = hex('37fa213d')
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, payload.map((byte, i) => byte ^ mask[i % 4])])
}

write('websocket', {
  'hello-masked': webSocket({ flags: MASKED }, hex('818537fa213d7f9f4d5158')),
  'hello-fragments': webSocket({}, hex('010348656c 8900 80026c6f')),
  'raw-call': webSocket({ flags: MASKED, chunk: 7 }, masked(0x82, smallest), masked(0x82, smallest)),
  'ping-close': webSocket({ flags: MASKED }, masked(0x89, text('ping')), masked(0x88, hex('03e8'))),
  'length-16': webSocket({ limit: 4 }, hex('827e007e'), Buffer.alloc(126)),
  'length-64': webSocket({}, hex('827f0000000000010000'), Buffer.alloc(70)),
  'length-wraps': webSocket({}, hex('020131 807fffffffffffffffff')),
  'over-limit': webSocket({ limit: 2 }, hex('827e007e')),
  compressed: webSocket({ flags: COMPRESSION }, hex('c107f248cdc9c90700 0101aa c101aa')),
  'text-bad': webSocket({}, hex('8103eda080')),
  'text-cut': webSocket({}, hex('0102e4bd 8001a0 8102c3a4')),
  'close-bad': webSocket({}, hex('880203ed')),
  reserved: webSocket({}, hex('b100')),
  'fragments-empty': webSocket({}, hex('0200'), ...Array(30).fill(hex('0000')), hex('8000')),
})

// Records of stub_tls.h, and choices of tls_layer_fuzz.cc: role, chunk and step.
const record = (type, content) => {
  let sum = type.charCodeAt(0)
  for (const byte of content) sum = (sum * 31 + byte) & 0xff
  return Buffer.concat([
    text(type),
    Buffer.from([content.length >> 8, content.length & 0xff]),
    content.map((byte) => byte ^ 0x5a),
    Buffer.from([sum]),
  ])
}
const SERVER = 1
const ASKS = 2
const tls = (role, chunk, step, ...records) => Buffer.concat([Buffer.from([role | ((chunk - 1) << 2), step]), ...records])
const hello = record('h', text('client'))

write('tls_layer', {
  server: tls(SERVER, 64, 5, hello, record('d', smallest), record('c', text(''))),
  client: tls(0, 7, 1, record('h', text('server')), record('d', text('hello'))),
  asked: tls(SERVER | ASKS, 3, 2, hello, record('d', Buffer.alloc(300, 1))),
  'many-records': tls(SERVER, 64, 0, hello, ...Array(20).fill(record('d', text('x')))),
  large: tls(SERVER, 64, 63, hello, record('d', Buffer.alloc(4096, 7))),
  'too-large': tls(SERVER, 64, 63, hello, hex('64ffff'), Buffer.alloc(100)),
  'bad-sum': tls(SERVER, 64, 63, hello, record('d', smallest).fill(0, 9)),
  'after-end': tls(SERVER, 5, 9, hello, record('c', text('')), record('d', smallest)),
  'no-hello': tls(SERVER, 64, 63, record('d', smallest)),
})

// Choices of kcp_fuzz.cc: what, group, flags, window and size of datagrams. Conversation 7.
const SCRIPT = 0
const DIALLED = 1
const ACCEPTED = 2
const kcp = (chosen, ...bytes) =>
  Buffer.concat([Buffer.from(Object.values({ what: SCRIPT, group: 1, flags: 0, window: 3, mtu: 3, ...chosen })), ...bytes])
const u16le = (value) => Buffer.from([value & 0xff, value >> 8])
const u32le = (value) => Buffer.from([0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff))
const segment = (command, { fragment = 0, window = 32, ts = 0, sn = 0, una = 0 } = {}, data = text('')) =>
  Buffer.concat([u32le(7), Buffer.from([command, fragment]), u16le(window), ...[ts, sn, una, data.length].map(u32le), data])
const shard = (id, type, ...segments) => {
  const bytes = Buffer.concat(segments)
  return Buffer.concat([u32le(id), u16le(type), ...(type === 0xf1 ? [u16le(bytes.length + 2)] : []), bytes])
}
const PUSH = 81
const ACK = 82
const ASK = 83
const TELL = 84
const END = 85
const RESET = 86
const received = (datagram) => Buffer.concat([Buffer.from([1]), u16le(datagram.length), datagram])
const written = (bytes) => Buffer.concat([Buffer.from([2]), u16le(bytes.length), bytes])
const after = (ms) => Buffer.concat([Buffer.from([0]), u32le(ms)])
const FLUSH = Buffer.from([3])
const TURN = Buffer.from([3, 5, 0xff, 0])
const shown = (datagram, steps = 1) => Buffer.concat([u16le(datagram.length), Buffer.from([steps]), datagram])
const pushes = (from, to, step = 1) => {
  const all = []
  for (let sn = from; sn !== to; sn += step) all.push(segment(PUSH, { sn, ts: sn }, text(`segment ${sn}`)))
  return all
}

write('kcp', {
  'script-in-order': kcp({}, ...pushes(0, 40).map(received), TURN),
  'script-backwards': kcp({}, ...pushes(40, 0, -1).map(received), TURN, received(segment(PUSH, {}, smallest)), TURN),
  'script-shards': kcp(
    {},
    ...pushes(0, 10).map((each, i) => received(shard(i, 0xf1, each))),
    received(shard(10, 0xf2, Buffer.alloc(40, 9))),
    TURN,
  ),
  'script-repaired': kcp(
    { group: 2 },
    received(shard(1, 0xf2, u16le(34 + 2), segment(PUSH, {}, text('repaired..')))),
    received(shard(2, 0xf1, ...pushes(1, 3))),
    TURN,
  ),
  'script-sent': kcp(
    { group: 2 },
    written(Buffer.alloc(9000, 1)),
    FLUSH,
    received(segment(ACK, { una: 2, sn: 3 })),
    FLUSH,
    after(300),
    FLUSH,
    after(300),
    FLUSH,
  ),
  'script-windows': kcp(
    { flags: 2 },
    written(Buffer.alloc(900, 1)),
    received(segment(TELL, { window: 0 })),
    FLUSH,
    after(8000),
    FLUSH,
    received(segment(ASK)),
    FLUSH,
  ),
  'script-dead': kcp({ group: 0, mtu: 0 }, written(smallest), ...Array(8).fill(Buffer.concat([after(5000), FLUSH]))),
  'script-lost': kcp(
    {},
    written(Buffer.alloc(3000)),
    FLUSH,
    FLUSH,
    received(segment(ACK, { una: 2, sn: 1 })),
    FLUSH,
    received(segment(ACK, { sn: 2 })),
    FLUSH,
  ),
  dialled: kcp(
    { what: DIALLED },
    shown(segment(PUSH, { fragment: 0xd3, sn: 0xc0000001, ts: 5 })),
    shown(segment(TELL, { fragment: 0xd3 })),
    shown(segment(PUSH, {}, smallest)),
  ),
  'dialled-refused': kcp({ what: DIALLED }, shown(segment(RESET, { fragment: 0xd3 }))),
  accepted: kcp({ what: ACCEPTED }, ...pushes(0, 6).map((each) => shown(each, 3)), shown(segment(END, { fragment: 0xd3, sn: 6 }))),
  'accepted-silent': kcp({ what: ACCEPTED }, ...Array(9).fill(shown(text(''), 255)), shown(segment(ASK, { fragment: 0xd3, sn: 1 }))),
  'accepted-strange': kcp(
    { what: ACCEPTED },
    shown(segment(END, { sn: 500 })),
    shown(segment(87)),
    shown(shard(0, 0xf2, Buffer.alloc(30))),
  ),
})
