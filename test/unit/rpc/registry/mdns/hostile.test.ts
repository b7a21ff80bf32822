import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import dnsPacket, { type Answer } from 'dns-packet'
import { readPacket } from '../../../../../src/rpc/registry/mdns/read-packet.ts'
import { decodeTxt, encodeTxt } from '../../../../../src/rpc/registry/mdns/txt.ts'
import { seeded } from '../../../../../src/testing/random.ts'
import { addresses, next, open, service } from '../contract.ts'
import { MemoryNetwork } from './network.ts'

interface Fake {
  id: string
  port?: number
  ip?: string
  txt?: (string | Buffer)[]
  ttl?: number
  target?: string
}

/** An announcement that nobody asked for. */
function fake({ id, port = 7, ip = '10.0.0.66', txt, ttl = 120, target = 'evil' }: Fake): Buffer {
  const name = `${id}.math.dmicro`
  const data = txt ?? encodeTxt({ service: 'math', version: '1', metadata: {} })
  const answers: Answer[] = [
    { type: 'SRV', name, ttl, data: { priority: 0, weight: 0, port, target } },
    { type: 'A', name: target, ttl, data: ip },
    { type: 'TXT', name, ttl, data },
  ]
  return dnsPacket.encode({ type: 'response', answers })
}

const hexOf = (text: string | Buffer): string[] =>
  (
    deflateSync(text)
      .toString('hex')
      .match(/.{1,255}/g) ?? []
  ).map(String)

/** A registry that watches `math`, and the network to send it things. */
async function watching(t: TestContext) {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const watch = open(registry, 'math')
  const first = next(watch)
  await net.clock.advance(1_000)
  await first
  t.after(() => watch.return?.())
  const send = (packet: Buffer): void => net.deliver({ way: 'announce', packet, from: '10.0.0.66' })
  return { net, registry, send, nodes: async () => addresses(await registry.getService('math')) }
}

suite('packets that anybody in the network can send', () => {
  test('a well-formed announcement is read, so that the others fail for their defect', async (t) => {
    const { send, nodes } = await watching(t)
    send(fake({ id: 'a' }))
    assert.deepEqual(await nodes(), ['10.0.0.66:7'])
  })

  test('a packet that is cut anywhere says nothing and throws nothing', async (t) => {
    const { send, nodes } = await watching(t)
    const whole = fake({ id: 'a' })
    for (let length = 0; length < whole.length; length++) send(whole.subarray(0, length))
    assert.deepEqual(await nodes(), [])
  })

  test('any byte may be wrong', async (t) => {
    const { send, nodes } = await watching(t)
    const random = seeded('mdns')
    const packets = [fake({ id: 'a' }), dnsPacket.encode({ type: 'query', questions: [{ name: 'math.dmicro', type: 'PTR' }] })]
    for (let i = 0; i < 20_000; i++) {
      const packet = Buffer.from(packets[i % 2])
      for (let flips = 1 + random() * 4; flips > 0; flips--) packet[Math.floor(random() * packet.length)] = Math.floor(random() * 256)
      send(packet)
    }
    assert.ok((await nodes()).length <= 1_000)
  })

  test('pointers that loop, or lead forwards, are refused', () => {
    const header = Buffer.from('0000800000000001 00000000'.replaceAll(' ', ''), 'hex')
    for (const name of ['c00c', 'c00e', 'c0ff', '0161c00c', 'c00cc00c'])
      assert.equal(
        readPacket(Buffer.concat([header, Buffer.from(`${name}000c000100000078000200`, 'hex'), Buffer.alloc(8)])),
        undefined,
        name,
      )
  })

  test('counts and lengths that are not true are refused', () => {
    const packet = fake({ id: 'a' })
    for (const offset of [4, 6, 8, 10]) {
      const lying = Buffer.from(packet)
      lying.writeUInt16BE(0xffff, offset)
      assert.equal(readPacket(lying), undefined, `count at ${offset}`)
    }
    // The TXT record comes last: RDLENGTH, then the length of its first string.
    const rdlength = packet.length - (encodeTxt({ service: 'math', version: '1', metadata: {} })[0].length + 1) - 2
    for (const [offset, change] of [
      [rdlength + 2, 1],
      [rdlength + 2, -1],
      [rdlength + 1, 1],
      [rdlength + 1, -1],
    ] as const) {
      const lying = Buffer.from(packet)
      lying[offset] += change
      assert.equal(readPacket(lying), undefined, `byte ${offset} by ${change}`)
    }
    assert.notEqual(readPacket(packet), undefined)
    const pointers = (count: number): Buffer =>
      dnsPacket.encode({ type: 'response', answers: Array.from({ length: count }, () => ({ type: 'PTR', name: 'a', ttl: 1, data: 'b' })) })
    assert.notEqual(readPacket(pointers(128)), undefined)
    assert.equal(readPacket(pointers(129)), undefined)
    const asking = (count: number): Buffer =>
      dnsPacket.encode({ type: 'query', questions: Array.from({ length: count }, () => ({ type: 'PTR', name: 'a' })) })
    assert.notEqual(readPacket(asking(16)), undefined)
    assert.equal(readPacket(asking(17)), undefined)
    assert.equal(readPacket(Buffer.concat([packet, Buffer.alloc(9_000)])), undefined)
  })

  test('other opcodes and return codes are ignored', () => {
    const packet = fake({ id: 'a' })
    for (const flags of [0x8800, 0x8003]) {
      packet.writeUInt16BE(flags, 2)
      assert.equal(readPacket(packet), undefined)
    }
  })

  test('a payload that unpacks to gigabytes is not unpacked', () => {
    const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024, 0x20)).toString('hex')
    const before = process.memoryUsage().arrayBuffers
    assert.equal(decodeTxt(bomb), undefined)
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024)
  })

  test('a payload that is no payload is ignored', async (t) => {
    const { send, nodes } = await watching(t)
    const texts = ['', 'null', '7', '[]', '{}', '{"Service":"math"}', '{"Service":7,"Version":"1"}', '{"service":"math","version":"1"}']
    texts.push('{"Service":"math","Version":"1","Metadata":{"a":1}}', '{"Service":"math","Version":"1","Metadata":["a"]}')
    texts.push('{"Service":"other","Version":"1","Metadata":null}', '{"__proto__":{"Service":"math","Version":"1"}}', '{"Service":"math",')
    for (const text of texts) send(fake({ id: 'a', txt: hexOf(text) }))
    for (const txt of [[], [''], ['zz'], ['7'], ['00'], ['789c'], [Buffer.from([0xff, 0xfe])]]) send(fake({ id: 'a', txt }))
    send(fake({ id: 'a', txt: [...encodeTxt({ service: 'math', version: '1', metadata: {} }), 'zz'] }))
    assert.deepEqual(await nodes(), [])
    send(fake({ id: 'a', txt: hexOf('{"Service":"math","Version":"","Metadata":null}') }))
    assert.deepEqual(await nodes(), ['10.0.0.66:7'])
  })

  test('a key named __proto__ in metadata changes no prototype', async (t) => {
    const { registry, send } = await watching(t)
    send(fake({ id: 'a', txt: hexOf('{"Service":"math","Version":"1","Metadata":{"__proto__":"x","constructor":"y"}}') }))
    const [{ nodes }] = await registry.getService('math')
    assert.deepEqual(Object.keys(nodes[0].metadata), ['__proto__', 'constructor'])
    assert.equal(Object.getPrototypeOf(nodes[0].metadata), Object.prototype)
    assert.equal(({} as Record<string, unknown>).x, undefined)
  })

  test('a flood of nodes is cut at a thousand, and expires', async (t) => {
    const { net, send, nodes } = await watching(t)
    for (let i = 0; i < 3_000; i++) {
      if (i % 1_000 === 0) await net.clock.advance(1_000)
      send(fake({ id: `flood-${i}` }))
    }
    assert.equal((await nodes()).length, 1_000)
    await net.clock.advance(121_000)
    assert.deepEqual(await nodes(), [])
  })

  test('in one second no more than two thousand payloads are unpacked, however many come', async (t) => {
    const { send, nodes } = await watching(t)
    // Each is too much for its limit, so that none becomes a node.
    const bomb = hexOf(JSON.stringify({ Service: 'math', Version: '1', Metadata: { a: 'x'.repeat(20_000) } }))
    for (let i = 0; i < 2_000; i++) send(fake({ id: `b${i}`, txt: bomb }))
    send(fake({ id: 'late' }))
    assert.deepEqual(await nodes(), [])
  })

  test('changes without end reach watches only so often, and a lookup gets the last one', async (t) => {
    let ms = 0
    const net = new MemoryNetwork()
    // Each look at the clock is a hundredth of a millisecond later, so that all that is done takes time.
    const now = (): number => net.clock.now() + (ms += 0.01)
    const { registry } = net.registry(t, { clock: { ...net.clock, now } })
    const watch = open(registry, 'math')
    const first = next(watch)
    await net.clock.advance(1_000)
    await first
    let snapshots = 0
    const reading = (async () => {
      for await (const _ of { [Symbol.asyncIterator]: () => watch }) snapshots++
    })()
    for (let i = 1; i <= 500; i++) {
      net.deliver({ way: 'announce', packet: fake({ id: 'a', port: i }), from: '10.0.0.66' })
      await Promise.resolve()
    }
    assert.ok(snapshots > 0 && snapshots < 250, `${snapshots} snapshots of 500 changes`)
    assert.deepEqual(addresses(await registry.getService('math')), ['10.0.0.66:500'])
    await watch.return?.()
    await reading
  })

  test('questions without end get no replies without end', async (t) => {
    const net = new MemoryNetwork()
    const { registry } = net.registry(t)
    await registry.register(service('math', [1]))
    const questions = Array.from({ length: 16 }, () => ({ name: 'math.dmicro', type: 'PTR' as const }))
    const packet = dnsPacket.encode({ type: 'query', questions })
    net.take('reply')
    for (let i = 0; i < 1_000; i++) net.deliver({ way: 'query', packet, from: '10.0.0.1' })
    assert.equal(net.take('reply').length, 2_000)
    await net.clock.advance(1_000)
    net.deliver({ way: 'query', packet, from: '10.0.0.1' })
    assert.equal(net.take('reply').length, 16)
  })

  test('a time to live of a second makes nobody ask more often than each second', async (t) => {
    const { net, send } = await watching(t)
    net.take('query')
    for (let i = 0; i < 10; i++) {
      send(fake({ id: 'a', ttl: 1 }))
      await net.clock.advance(999)
    }
    assert.ok(net.take('query').length <= 10)
  })

  test('a node of another host in the same datagram, a port of 0 and an address that is missing make no node', async (t) => {
    const { send, nodes } = await watching(t)
    send(fake({ id: 'a', port: 0 }))
    const packet = fake({ id: 'a' })
    const { answers = [] } = dnsPacket.decode(packet)
    send(dnsPacket.encode({ type: 'response', answers: answers.filter(({ type }) => type !== 'A') }))
    send(dnsPacket.encode({ type: 'response', answers: answers.map((each) => (each.type === 'A' ? { ...each, name: 'other' } : each)) }))
    assert.deepEqual(await nodes(), [])
  })

  test('packets of other domains are not even read', async (t) => {
    const { send, nodes } = await watching(t)
    const { answers = [] } = dnsPacket.decode(fake({ id: 'a' }))
    const local = answers.map((each) => ({ ...each, name: each.name.replace('dmicro', 'local') }))
    send(dnsPacket.encode({ type: 'response', answers: local }))
    assert.deepEqual(await nodes(), [])
  })
})

suite('answers of other responders', () => {
  test('records may come as additionals, in any order, without a pointer', async (t) => {
    const { send, nodes } = await watching(t)
    const { answers = [] } = dnsPacket.decode(fake({ id: 'a' }))
    send(dnsPacket.encode({ type: 'response', answers: [], additionals: answers.toReversed() }))
    assert.deepEqual(await nodes(), ['10.0.0.66:7'])
  })

  test('several nodes may share a datagram', async (t) => {
    const { send, nodes } = await watching(t)
    const both = ['a', 'b'].flatMap((id, port) => dnsPacket.decode(fake({ id, port: port + 1 })).answers ?? [])
    send(dnsPacket.encode({ type: 'response', answers: both }))
    assert.deepEqual(await nodes(), ['10.0.0.66:1', '10.0.0.66:2'])
  })

  test('in a datagram of several nodes a goodbye is of one of them', async (t) => {
    const { send, nodes } = await watching(t)
    const both = ['a', 'b'].flatMap(
      (id, index) => dnsPacket.decode(fake({ id, port: index + 1, ttl: index === 0 ? 120 : 0 })).answers ?? [],
    )
    send(dnsPacket.encode({ type: 'response', answers: both }))
    assert.deepEqual(await nodes(), ['10.0.0.66:1'])
  })

  test('IPv4 is preferred to IPv6, whichever comes first', async (t) => {
    const { send, nodes } = await watching(t)
    const { answers = [] } = dnsPacket.decode(fake({ id: 'a' }))
    send(dnsPacket.encode({ type: 'response', answers: [{ type: 'AAAA', name: 'evil', ttl: 120, data: 'fd00::9' }, ...answers] }))
    assert.deepEqual(await nodes(), ['10.0.0.66:7'])
  })

  test('a goodbye is one of all records, or of the pointer alone', async (t) => {
    const { send, nodes } = await watching(t)
    send(fake({ id: 'a' }))
    send(fake({ id: 'a', ttl: 0 }))
    assert.deepEqual(await nodes(), [])
    send(fake({ id: 'a' }))
    send(dnsPacket.encode({ type: 'response', answers: [{ type: 'PTR', name: 'math.dmicro', ttl: 0, data: 'a.math.dmicro' }] }))
    assert.deepEqual(await nodes(), [])
  })
})
