import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Proto } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, recorder } from '../support/helpers.ts'
import { boxes, lines } from '../support/own-protocols.ts'
import { rawPeer } from '../support/raw-peer.ts'

/** Pushes of three bytes in an envelope: the number they carry. Frames are smaller than any of the raw protocol. */
const tiny: Proto = {
  id: 210,
  name: 'tiny',
  framing: 'envelope',
  open: () => ({
    pack: () => '',
    unpack(bytes, start, end, message) {
      message.type = 3
      message.method = '/n'
      message.codec = 106
      message.setBody(Buffer.from(String(bytes.readUIntBE(start, 3))))
      return end - start
    },
  }),
}

/** Uses up each byte and has a message at each `!`; between them it says that one is unfinished. */
const hasty: Proto = {
  id: 211,
  name: 'hasty',
  framing: 'stream',
  open(link) {
    const session = {
      unfinished: false,
      pack: () => '',
      unpack(bytes: Buffer, start: number, _end: number, message: { type: number; method: string | undefined }) {
        session.unfinished = bytes[start] !== 0x21
        if (session.unfinished) {
          link.write(no)
        } else {
          message.type = 3
          message.method = '/n'
        }
        return 1
      },
    }
    return session
  },
}

const no = 'n'.repeat(200)

const pause = new Int32Array(new SharedArrayBuffer(4))

const line = (n: number): string => `![3,${n},"/n","","",106,"${n}"]\n`

onEachTransport('wires', (transport) => {
  it('a stream goes on after several turns full of messages in one read (F4)', async (t) => {
    const { server, listener } = await pair(t, transport, {
      server: { protocols: [lines], protocol: 'lines' },
      client: { protocols: [lines], protocol: 'lines' },
    })
    const last = once()
    let next = 0
    server.routePush('/n', (n: number) => {
      assert.equal(n, next++)
      if (next === 100_000) last.resolve()
    })
    const peer = await rawPeer(t, listener.url)
    peer.send(Array.from({ length: 100_000 }, (_, n) => line(n)).join(''))
    await last.promise
  })

  it('it is still read after turns that were full (F4)', async (t) => {
    const options = { protocols: [hasty], protocol: 'hasty' }
    const { server, listener } = await pair(t, transport, { server: options, client: options })
    const last = once()
    const more = once()
    let count = 0
    server.routePush('/n', () => {
      if (++count === 60_000) last.resolve()
      if (count === 60_001) more.resolve()
    })
    const peer = await rawPeer(t, listener.url)
    peer.send('!'.repeat(60_000))
    await last.promise
    peer.send('!')
    await more.promise
  })

  for (const io of transport === 'native' ? [0, 2] : [0]) {
    it(`300,000 envelopes smaller than a raw frame come whole and in order (ioThreads ${io})`, async (t) => {
      const server = endpoint(t, { transport, protocols: [tiny], protocol: 'tiny', ioThreads: io })
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const last = once()
      let next = 0
      let wrong = 0
      server.routePush('/n', (n: number) => {
        if (n !== next++) wrong++
        // A reader that falls behind: the core has filled its other lanes meanwhile.
        if (next % 20_000 === 0) Atomics.wait(pause, 0, 0, 15)
        if (next === 300_000) last.resolve()
      })
      const peer = await rawPeer(t, url)
      const bytes = Buffer.alloc(300_000 * 8)
      for (let n = 0; n < 300_000; n++) {
        bytes.writeUInt32BE(4, n * 8)
        bytes.writeUIntBE(n, n * 8 + 5, 3)
      }
      peer.send(bytes)
      await last.promise
      assert.equal(wrong, 0)
    })
  }

  for (const [name, first] of Object.entries({
    raw: frame({ method: '/echo', body: '"never"' }).subarray(0, 20),
    boxes: Buffer.from([0, 0, 1, 0, 0, 0x21, 0x5b]),
    lines: Buffer.from('![1,1,"/e'),
  })) {
    it(`a peer that says its protocol among several and stalls in its first message is closed: ${name} (F6)`, async (t) => {
      const warned = once<string>()
      const log = { ...recorder(), warn: (_: string, fields?: Readonly<Record<string, unknown>>) => warned.resolve(String(fields?.reason)) }
      const server = endpoint(t, { transport, protocols: [lines, boxes], log, limits: { frameTimeout: 60 } })
      const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines', 'boxes'] })
      const peer = await rawPeer(t, url)
      peer.send(first)
      await peer.closed
      assert.equal(await warned.promise, 'frame not completed in time')
      assert.equal(server.stats.violations, 1)
    })
  }

  it('a first byte that ends a full batch is not forgotten', async (t) => {
    const server = endpoint(t, { transport, protocols: [lines] })
    server.routeCall('/echo', (value: unknown) => value)
    server.routePush('/n', () => {})
    const busy = await server.listen('tcp://127.0.0.1:0')
    const several = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines'] })
    const flooder = await rawPeer(t, busy.url)
    flooder.send(frame({ seq: 1, method: '/echo', body: '1' }))
    await flooder.received(1)
    const push = frame({ seq: 1, type: 3, method: '', status: '', meta: '' })
    assert.equal(push.length, 15) // so that all of them are one read
    // One record short of a batch of the native core; the byte is the record that fills it.
    const call = frame({ seq: 9, method: '/echo', body: '"heard"' })
    for (let i = 0; i < 5; i++) {
      const slow = await rawPeer(t, several.url)
      // Its connection was accepted before this is answered.
      flooder.send(frame({ seq: 1, method: '/echo', body: '1' }))
      await flooder.received(2 + i)
      flooder.send(Buffer.concat(Array<Buffer>(4095).fill(push)))
      slow.send(call.subarray(0, 1))
      // The rest comes when the loop has read both.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      slow.send(call.subarray(1))
      assert.equal((await slow.received(1))[0].body, '"heard"')
    }
  })

  it('what is no message counts as work too: a stream of refusals does not hold the loop', async (t) => {
    const options = { protocols: [hasty], protocol: 'hasty' }
    const { server, listener } = await pair(t, transport, { server: { ...options, limits: { maxUnsent: 65_536 } }, client: options })
    const peer = await rawPeer(t, listener.url)
    // One read makes 12 MB of answers, which whoever gave all of them at once would mostly lose.
    let got = 0
    const all = once()
    peer.socket.on('data', (chunk) => {
      got += chunk.length
      if (got === no.length * 60_000) all.resolve()
    })
    peer.send('x'.repeat(60_000))
    await all.promise
    assert.equal(server.stats.violations, 0)
  })

  const box = Buffer.concat([Buffer.from([0, 0, 0, 1 + line(0).length, 0]), Buffer.from(line(0))])
  const firsts = { raw: frame({ type: 3, method: '/n', body: '0' }), boxes: box, lines: Buffer.from(line(0)) }
  for (const [name, push] of Object.entries(firsts)) {
    it(`a FIN right behind what was peeked at: all of it is delivered first: ${name}`, async (t) => {
      const server = endpoint(t, { transport, protocols: [lines, boxes] })
      const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines', 'boxes'] })
      let count = 0
      server.routePush('/n', () => count++)
      const gone = once<string | undefined>()
      server.once('session', (session) => session.once('close', (reason) => gone.resolve(reason?.cause)))
      const peer = await rawPeer(t, url)
      peer.socket.end(Buffer.concat([push, push, push]))
      assert.equal(await gone.promise, 'closed by the peer')
      assert.equal(count, 3)
      assert.equal(server.sessionCount, 0)
    })

    it(`a session that is destroyed where it is announced hears nothing of what was peeked at: ${name}`, async (t) => {
      const server = endpoint(t, { transport, protocols: [lines, boxes] })
      const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines', 'boxes'] })
      let count = 0
      server.routePush('/n', () => count++)
      server.on('session', (session) => session.destroy())
      for (let i = 0; i < 5; i++) {
        const peer = await rawPeer(t, url)
        peer.send(push, push)
        await peer.closed
      }
      assert.equal(count, 0)
      assert.deepEqual([server.stats.accepted, server.stats.violations], [5, 0])
    })

    it(`a handler that destroys its session is the last one it has: ${name}`, async (t) => {
      const server = endpoint(t, { transport, protocols: [lines, boxes] })
      const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines', 'boxes'] })
      let count = 0
      server.routePush('/n', (_: unknown, ctx) => {
        count++
        ctx.session.destroy()
      })
      const peer = await rawPeer(t, url)
      peer.send(...Array<Buffer>(50).fill(push))
      await peer.closed
      assert.equal(count, 1)
      assert.equal(server.stats.violations, 0)
    })
  }

  it('peers that come, say half a byte and go while they are peeked at leave nothing behind', async (t) => {
    const server = endpoint(t, { transport, protocols: [lines, boxes] })
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines', 'boxes'] })
    server.routeCall('/echo', (value: unknown) => value)
    for (let i = 0; i < 50; i++) {
      const peer = await rawPeer(t, url)
      if (i % 3 > 0) peer.send(Buffer.from([0]))
      if (i % 2 === 0) peer.socket.resetAndDestroy()
      else peer.socket.end()
      await peer.closed
    }
    // Their places are free again.
    const client = endpoint(t, { transport, protocols: [lines, boxes] })
    const session = await client.dial(url, { protocol: 'raw' })
    assert.equal(await session.call('/echo', 1), 1)
    assert.deepEqual([server.stats.accepted, server.stats.violations, server.sessionCount], [1, 0, 1])
  })
})
