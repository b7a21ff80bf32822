import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadNative, type NativeAddon } from '../../../../src/transports/native/addon.ts'
import { KcpConversation } from '../../../../src/wire/kcp/conversation.ts'
import { FEC_HEADER, TYPE_DATA, TYPE_PARITY } from '../../../../src/wire/kcp/fec.ts'
import { Command, OVERHEAD, singleSegment } from '../../../../src/wire/kcp/segment.ts'
import { defaultKcp, fastKcp, type KcpSettings } from '../../../../src/wire/kcp/settings.ts'
import { KcpScript, Op, runKcpScript } from '../../../support/kcp-script.ts'
import { random } from '../../../support/random.ts'

/** Datagrams that both conversations get; DMICRO_KCP_DATAGRAMS=1000000 for the long form. */
const DATAGRAMS = Number(process.env.DMICRO_KCP_DATAGRAMS ?? 30_000)

const loaded = loadNative()
const native = 'addon' in loaded ? loaded.addon : undefined

type Random = (below: number) => number

function someSettings(rnd: Random): KcpSettings {
  const fec = [
    [10, 3],
    [3, 2],
    [1, 1],
    [4, 6],
    [0, 0],
  ][rnd(5)]
  const base = rnd(2) === 0 ? defaultKcp : fastKcp
  const window = rnd(3) === 0 ? 16 : base.window
  return {
    ...base,
    fecData: fec[0],
    fecParity: fec[1],
    window,
    mtu: [1400, 576, 128][rnd(3)],
    congestion: rnd(2) === 0,
    deadLink: 4 + rnd(20),
  }
}

/** A conversation over a bad link with a good peer, whose datagrams are lost, repeated, reordered and changed. */
function someScript(settings: KcpSettings, conv: number, rnd: Random): { script: Buffer; datagrams: number } {
  const script = new KcpScript()
  const toPeer: Buffer[] = []
  const fromPeer: Buffer[] = []
  const own = new KcpConversation(conv, settings, (datagram) => toPeer.push(datagram))
  const peer = new KcpConversation(conv, someSettings(rnd), (datagram) => fromPeer.push(datagram))
  let datagrams = 0
  if (rnd(2) === 0) {
    own.machine.prompt = true
    script.add(Op.Prompt)
  }
  if (rnd(2) === 0) {
    // Numbers wrap.
    const sn = 2 ** 32 - 1 - rnd(40)
    for (const { machine } of [own, peer]) machine.sending.una = machine.sending.next = machine.receiving.next = sn
    script.add(Op.BeginAt, sn)
  }
  // Clocks wrap in some conversations.
  let now = 0
  const wait = (ms: number): void => {
    script.add(Op.Wait, ms)
    now = (now + ms) >>> 0
  }
  if (rnd(2) === 0) wait(2 ** 32 - 1 - rnd(3000))
  for (let step = 30 + rnd(120); step > 0; step--) {
    const action = rnd(12)
    if (action < 3) {
      const bytes = Buffer.alloc(rnd(5) === 0 ? rnd(6000) : rnd(200), step)
      if (rnd(2) === 0) {
        own.machine.sending.write(bytes)
        script.add(Op.Write, bytes)
      } else {
        peer.machine.sending.write(bytes)
      }
    } else if (action < 6) {
      const full = rnd(4) > 0
      own.flush(full, now)
      script.add(full ? Op.Flush : Op.FlushAcks)
    } else if (action === 6) {
      wait(rnd(8) === 0 ? rnd(9000) : rnd(150))
    } else if (action === 7) {
      const most = rnd(40)
      for (let left = most; left > 0 && own.machine.read() !== undefined; left--);
      script.add(Op.Read, most)
    } else if (action === 8 && rnd(5) === 0) {
      own.machine.ask()
      script.add(Op.Ask)
    } else {
      peer.flush(true, (now + 77) >>> 0)
      while (peer.machine.read() !== undefined && rnd(20) > 0);
    }
    while (toPeer.length > 0) {
      const datagram = toPeer.splice(rnd(3) === 0 ? rnd(toPeer.length) : 0, 1)[0]
      if (rnd(5) > 0) peer.receive(datagram, (now + 77) >>> 0)
    }
    while (fromPeer.length > 0 && rnd(8) > 0) {
      const datagram = Buffer.from(fromPeer.splice(rnd(3) === 0 ? rnd(fromPeer.length) : 0, 1)[0])
      if (rnd(5) === 0) continue
      for (let copies = rnd(10) === 0 ? 2 : 1; copies > 0; copies--) {
        if (rnd(4) === 0) datagram[rnd(Math.min(datagram.length, 40))] = rnd(256)
        const given = rnd(30) === 0 ? datagram.subarray(0, rnd(datagram.length + 1)) : datagram
        own.receive(Buffer.from(given), now)
        script.add(Op.Datagram, given)
        datagrams++
      }
    }
  }
  return { script: script.bytes, datagrams }
}

/** Runs a script on both cores, whose logs must be the same; returns the log. */
function runOnBoth(addon: NativeAddon, settings: KcpSettings, conv: number, script: Buffer, name = ''): Buffer {
  const { fecData, fecParity, noDelay, interval, resend, congestion, window, mtu, deadLink } = settings
  const numbers = Uint32Array.of(fecData, fecParity, +noDelay, interval, resend, +congestion, window, mtu, deadLink)
  const expected = runKcpScript(settings, conv, script)
  const actual: Buffer = Buffer.from(addon.kcpRun(numbers, conv, script))
  if (!actual.equals(expected)) {
    let at = 0
    while (actual[at] === expected[at]) at++
    const around = (bytes: Buffer): string => bytes.subarray(Math.max(at - 60, 0), at + 60).toString('hex')
    assert.equal(around(actual), around(expected), `${name}, at ${at}`)
  }
  return expected
}

/** The last two numbers of a log. */
const dueAtEnd = (log: Buffer): number => log.readUInt32LE(log.length - 4)
const flagsAtEnd = (log: Buffer): number => log.readUInt32LE(log.length - 8)

test('both cores answer the same datagrams, among them mutated ones, with the same datagrams', (t) => {
  if (native === undefined) return t.skip('no native binary')
  let datagrams = 0
  for (let seed = 1; datagrams < DATAGRAMS; seed++) {
    const rnd = random(seed)
    const settings = someSettings(rnd)
    const conv = rnd(2 ** 31)
    const made = someScript(settings, conv, rnd)
    datagrams += made.datagrams
    runOnBoth(native, settings, conv, made.script, `seed ${seed}`)
  }
})

const header = { conv: 7, frg: 0, wnd: 32, ts: 0, sn: 0, una: 0 }

test('both cores ask about a window of 0 that they hear of when nothing is on its way, once there is something to send', (t) => {
  if (native === undefined) return t.skip('no native binary')
  for (const settings of [defaultKcp, fastKcp]) {
    const script = new KcpScript()
    script.add(Op.Flush)
    script.add(Op.Datagram, singleSegment({ ...header, cmd: Command.Ack, wnd: 0 }))
    script.add(Op.Write, Buffer.from('x'))
    assert.equal(dueAtEnd(runOnBoth(native, settings, 7, script.bytes)), 0)
    script.add(Op.Flush)
    assert.equal(dueAtEnd(runOnBoth(native, settings, 7, script.bytes)), 7000)
    script.add(Op.Wait, 7000)
    script.add(Op.Flush)
    assert.equal(dueAtEnd(runOnBoth(native, settings, 7, script.bytes)), 10_500)
  }
})

test('both cores take a link for dead when a segment was sent often, until one is acknowledged', (t) => {
  if (native === undefined) return t.skip('no native binary')
  const script = new KcpScript()
  script.add(Op.Write, Buffer.from('x'))
  for (let n = 0; n < 20; n++) {
    script.add(Op.Flush)
    script.add(Op.Wait, 60_000)
  }
  assert.equal(flagsAtEnd(runOnBoth(native, fastKcp, 7, script.bytes)), 1)
  script.add(Op.Datagram, singleSegment({ ...header, cmd: Command.Wins, una: 1 }))
  assert.equal(flagsAtEnd(runOnBoth(native, fastKcp, 7, script.bytes)), 0)
})

test('both cores forget the groups of parity that are left behind, also when the ids have gone round', (t) => {
  if (native === undefined) return t.skip('no native binary')
  const script = new KcpScript()
  const shard = (id: number, sn: number): void => {
    const datagram = Buffer.alloc(FEC_HEADER + OVERHEAD)
    datagram.writeUInt32LE(id, 0)
    datagram.writeUInt16LE(id % 2 === 0 ? TYPE_DATA : TYPE_PARITY, 4)
    datagram.writeUInt16LE(2 + OVERHEAD, 6)
    singleSegment({ ...header, cmd: Command.Push, sn }).copy(datagram, FEC_HEADER)
    script.add(Op.Datagram, datagram)
  }
  // Groups 4 and 5, two that are ahead by less than half of all, then 6.
  for (const [sn, group] of [4, 5, 0x3000_0000, 0x6000_0000, 6].entries()) shard(group * 2, sn)
  // In groups of one and one, parity is the shard once more, and repairs it.
  shard(4 * 2 + 1, 0)
  script.add(Op.FlushAcks)
  const log = runOnBoth(native, { ...defaultKcp, fecData: 1, fecParity: 1 }, 7, script.bytes)
  assert.ok(log.includes(singleSegment({ ...header, cmd: Command.Ack, wnd: 27, una: 5 })), 'the repaired segment is acknowledged')
})
