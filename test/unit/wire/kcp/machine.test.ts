import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KcpConversation } from '../../../../src/wire/kcp/conversation.ts'
import { KcpMachine } from '../../../../src/wire/kcp/machine.ts'
import { Command, readHeader, singleSegment } from '../../../../src/wire/kcp/segment.ts'
import { defaultKcp, fastKcp, type KcpSettings } from '../../../../src/wire/kcp/settings.ts'

const header = { conv: 1, frg: 0, wnd: 32, ts: 0, sn: 0, una: 0 }

function machineOf(settings: KcpSettings = defaultKcp): { machine: KcpMachine; sent: Buffer[] } {
  const sent: Buffer[] = []
  const machine = new KcpMachine(1, settings, (segments) => sent.push(Buffer.from(segments)))
  machine.flush(true, 0)
  return { machine, sent }
}

test('the acknowledgement of a number that was never sent, as of a challenge, is no round trip', () => {
  const { machine } = machineOf()
  machine.sending.write(Buffer.from('x'))
  machine.flush(true, 1000)
  machine.input(singleSegment({ ...header, cmd: Command.Ack, sn: 0x9000_0000, ts: 5 }), true, 2 ** 31 - 1)
  assert.equal(machine.roundTrip.rto, 200)
  machine.input(singleSegment({ ...header, cmd: Command.Ack, sn: 0, ts: 1000, una: 1 }), true, 1040)
  assert.deepEqual([machine.roundTrip.srtt, machine.roundTrip.rto], [40, 140])
})

test('a window of 0 stops data, is asked about after 7 s, then ever later, and opens by the answer', () => {
  const { machine, sent } = machineOf({ ...fastKcp, fecData: 0, fecParity: 0 })
  machine.input(singleSegment({ ...header, cmd: Command.Wins, wnd: 0 }), true, 0)
  machine.sending.write(Buffer.from('x'))
  const asked: number[] = []
  for (let now = 10; now < 60_000; now += 10) {
    machine.flush(true, now)
    for (const segments of sent.splice(0)) {
      assert.equal(readHeader(segments, 0).cmd, Command.Wask)
      asked.push(now)
    }
  }
  assert.deepEqual(asked, [7010, 17_510, 33_260, 56_890])
  machine.input(singleSegment({ ...header, cmd: Command.Wins, wnd: 1 }), true, 60_000)
  machine.flush(true, 60_000)
  assert.equal(readHeader(sent[0], 0).cmd, Command.Push)
})

test('numbers and clocks wrap', () => {
  const pair = [0, 1].map(() => machineOf(fastKcp))
  const [a, b] = pair.map(({ machine }) => machine)
  for (const machine of [a, b]) {
    machine.sending.una = machine.sending.next = 2 ** 32 - 5
    machine.receiving.next = 2 ** 32 - 5
  }
  let now = 2 ** 32 - 30
  const read: string[] = []
  for (let n = 0; n < 20; n++, now = (now + 5) >>> 0) {
    a.sending.write(Buffer.from(String.fromCharCode(97 + n)))
    for (const [i, from] of [a, b].entries()) {
      from.flush(true, now)
      for (const segments of pair[i].sent.splice(0)) pair[1 - i].machine.input(segments, true, now)
    }
    for (let data: Buffer | undefined; (data = b.read()) !== undefined; ) read.push(String(data))
  }
  assert.equal(read.join(''), 'abcdefghijklmnopqrst')
  assert.equal(b.receiving.next, 15)
  assert.equal(a.dead || a.lost, false)
})

test('a peer that acknowledges less than before has lost its state', () => {
  const { machine } = machineOf()
  machine.sending.write(Buffer.from('x'))
  machine.flush(true, 0)
  machine.input(singleSegment({ ...header, cmd: Command.Ack, sn: 0, ts: 0, una: 1 }), true, 20)
  machine.sending.write(Buffer.from('y'))
  machine.flush(true, 30)
  assert.equal(machine.lost, false)
  machine.input(singleSegment({ ...header, cmd: Command.Ack, sn: 1, ts: 30, una: 0 }), true, 50)
  assert.equal(machine.lost, true)
})

test('parity that lies gives no more than bad segments, which change nothing', () => {
  const conversation = new KcpConversation(1, defaultKcp, () => {})
  for (let id = 0; id < 13; id++) {
    if (id === 4) continue
    const datagram = Buffer.alloc(60, id)
    datagram.writeUInt32LE(id, 0)
    datagram.writeUInt16LE(id < 10 ? 0xf1 : 0xf2, 4)
    datagram.writeUInt16LE(54, 6)
    conversation.receive(datagram, 0)
  }
  const { machine } = conversation
  assert.deepEqual([machine.receiving.next, machine.sending.una, machine.remoteWindow, machine.dead], [0, 0, 32, false])
})

test('nothing beyond the window is kept, nor what came before', () => {
  const { machine } = machineOf()
  const push = (sn: number): void => {
    const datagram = Buffer.concat([singleSegment({ ...header, cmd: Command.Push, sn }), Buffer.from('x')])
    datagram.writeUInt32LE(1, 20)
    machine.input(datagram, true, 0)
  }
  for (const sn of [32, 33, 2 ** 31, 2 ** 32 - 1]) push(sn)
  assert.equal(machine.receiving.next, 0)
  for (let sn = 31; sn >= 0; sn--) push(sn)
  assert.deepEqual([machine.receiving.next, machine.receiving.free], [32, 0])
  push(32)
  assert.equal(machine.receiving.readable, 32)
})

test('an acknowledgement of a segment that was acknowledged before, of one that FEC repaired say, is no round trip', () => {
  const { machine } = machineOf()
  machine.sending.write(Buffer.from('x'))
  machine.flush(true, 1000)
  machine.input(singleSegment({ ...header, cmd: Command.Ack, sn: 0, ts: 1000, una: 1 }), true, 1050)
  machine.input(singleSegment({ ...header, cmd: Command.Ack, sn: 0, ts: 1000, una: 1 }), true, 3000)
  assert.deepEqual([machine.roundTrip.srtt, machine.roundTrip.rto], [50, 150])
})

test('what a peer that acknowledges at once has not acknowledged is sent again before its timeout, once', () => {
  const { machine, sent } = machineOf()
  machine.prompt = true
  for (let sn = 0; sn < 20; sn++) {
    machine.sending.write(Buffer.from('x'))
    machine.flush(true, sn)
    machine.input(singleSegment({ ...header, cmd: Command.Ack, sn, ts: sn, una: sn + 1 }), true, sn + 50)
  }
  sent.length = 0
  machine.sending.write(Buffer.from('y'))
  const at: number[] = []
  for (let now = 1000; now < 2000; now++) {
    machine.flush(true, now)
    if (sent.length > 0) at.push(now - 1000)
    sent.length = 0
  }
  // The timeout of 150 ms begins anew with the probe, and grows as ever.
  assert.deepEqual(at, [0, 70, 220, 520, 970])
})
