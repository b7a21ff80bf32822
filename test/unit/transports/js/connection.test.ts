import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { beforeEach, type TestContext, test } from 'node:test'
import { SocketConnection } from '../../../../src/transports/js/connection.ts'
import { TurnScheduler } from '../../../../src/transports/js/turn-scheduler.ts'
import { SendResult } from '../../../../src/transports/transport.ts'
import { frame } from '../../../support/frames.ts'
import { outgoing } from '../../../support/outgoing.ts'
import { options, Recorder, turns, wireAndPeer } from '../js-connections.ts'

// Time passes by calling `sweep` with the clock it would have been given; the transport's own sweeps are off.
beforeEach((t) => {
  ;(t as TestContext).mock.method(TurnScheduler.prototype, 'watch', () => {})
})

test('a frame has its timeout, and again for each 64 KiB received', async (t) => {
  const { wire, peer, sink } = await wireAndPeer(t, { frameTimeout: 1000 })
  const { sweep } = clockOf(wire)
  const bytes = frame({ body: Buffer.alloc(200_000) })
  let sent = 0
  const send = async (upTo: number): Promise<void> => {
    peer.send(bytes.subarray(sent, upTo))
    sent = upTo
    await turns(20)
  }
  await send(10)
  assert.equal(sweep(0), true)
  assert.equal(sweep(999), true)
  await send(70_000)
  assert.equal(sweep(1999), true)
  await send(140_000)
  assert.equal(sweep(2999), true)
  assert.deepEqual(sink.closes, [])
  assert.equal(sweep(3001), false)
  assert.deepEqual(await sink.closed, ['FrameTimeout', ''])
})

test('a trickle of bytes does not extend a frame, the next frame has a time of its own', async (t) => {
  const { wire, peer, sink } = await wireAndPeer(t, { frameTimeout: 1000 })
  const { sweep } = clockOf(wire)
  const bytes = frame()
  peer.send(bytes.subarray(0, 10))
  await turns(20)
  sweep(0)
  peer.send(bytes.subarray(10), bytes.subarray(0, 10))
  await sink.received(1)
  for (const clock of [900, 1100, 1800]) {
    assert.equal(sweep(clock), true)
    peer.send(bytes.subarray(10, 11))
    await turns(20)
  }
  assert.deepEqual(sink.closes, [])
  sweep(1901)
  assert.deepEqual(await sink.closed, ['FrameTimeout', ''])
})

test('between frames there is nothing to watch', async (t) => {
  const { wire, peer, sink } = await wireAndPeer(t, { frameTimeout: 1000 })
  const { sweep } = clockOf(wire)
  peer.send(frame().subarray(0, 10))
  await turns(20)
  assert.equal(sweep(0), true)
  peer.send(frame().subarray(10))
  await sink.received(1)
  assert.equal(sweep(5000), false)
  assert.deepEqual(sink.closes, [])
})

test('every byte the kernel takes is progress, silence of the write timeout is not', async (t) => {
  const { wire, peer, socket, sink } = await wireAndPeer(t, { writeTimeout: 1000, maxUnsent: 1 << 30 })
  const { sweep } = clockOf(wire)
  socket.pause()
  wire.send(outgoing(3, 1, -1, '', '', '', 106, Buffer.alloc(16 * 1024 * 1024 - 100)))
  await turns(20)
  assert.equal(sweep(0), true)
  // The peer takes some and stops again, within one write of ours.
  let taken = 0
  socket.on('data', (chunk: Buffer) => {
    taken += chunk.length
    if (taken > 4_000_000) socket.pause()
  })
  socket.resume()
  while (taken <= 4_000_000) await turns()
  assert.equal(sweep(5000), true)
  assert.deepEqual(sink.closes, [])
  // The kernel may go on taking for a while, but not for ever.
  for (let clock = 6001; sweep(clock); clock += 1001) await turns(20)
  assert.deepEqual(await sink.closed, ['WriteTimeout', ''])
  assert.equal(peer.frames.length, 0)
})

test('while we do not read, no frame is late', async (t) => {
  const { wire, peer, sink } = await wireAndPeer(t, { frameTimeout: 1000 }, (end) => {
    end.sink.onEach = () => end.wire.pauseReading()
  })
  const { sweep } = clockOf(wire)
  peer.send(frame().subarray(0, 10))
  await turns(20)
  sweep(0)
  peer.send(frame().subarray(10), frame().subarray(0, 10))
  await sink.received(1)
  for (const clock of [900, 1800, 2700]) assert.equal(sweep(clock), true)
  assert.deepEqual(sink.closes, [])
  wire.resumeReading()
  peer.send(frame().subarray(10))
  await sink.received(2)
})

test('after our FIN a peer that does not close is waited for, and read, for two seconds', async (t) => {
  const { wire, peer, sink } = await wireAndPeer(t)
  const { sweep } = clockOf(wire)
  peer.socket.allowHalfOpen = true
  const ended = new Promise((resolve) => peer.socket.once('end', resolve))
  wire.end()
  await ended
  peer.send(frame())
  await turns(20)
  assert.equal(sweep(0), true)
  assert.equal(sweep(2000), true)
  assert.deepEqual(sink.closes, [])
  assert.equal(sweep(2001), false)
  assert.deepEqual(await sink.closed, ['Local', ''])
  assert.equal(sink.messages.length, 0)
})

test('sweeps are a quarter of the strictest timeout apart, 10 ms at least and a second at most', async (t) => {
  const periods: [number, number, number][] = [
    [10_000, 30_000, 1000],
    [400, 30_000, 100],
    [10_000, 200, 50],
    [1, 1, 10],
  ]
  for (const [frameTimeout, writeTimeout, period] of periods) {
    const { wire } = await wireAndPeer(t, { frameTimeout, writeTimeout })
    assert.equal((wire as SocketConnection).sweepPeriod, period)
  }
})

/** A socket whose system takes what `drain` says and no more. */
class StuckSocket extends EventEmitter {
  writableLength = 0
  reading = true
  #written: () => void = () => {}

  write(chunk: Buffer, written: () => void = () => {}): boolean {
    this.writableLength += chunk.length
    this.#written = written
    return false
  }

  drain(): void {
    this.writableLength = 0
    this.#written()
  }

  pause(): this {
    this.reading = false
    return this
  }

  resume(): this {
    this.reading = true
    return this
  }

  cork(): void {}
  uncork(): void {}
  destroy(): void {}
}

test('unsent bytes are counted to the byte, and one message always passes', async () => {
  const socket = new StuckSocket()
  const wire = new SocketConnection(socket as unknown as Socket, '', '', options({ maxUnsent: 1000 }), new TurnScheduler())
  wire.handler = new Recorder()
  const push = (body = 0): SendResult => wire.send(outgoing(3, 1, -1, '', '', '', 106, 'x'.repeat(body)))
  assert.equal(push(5000), SendResult.Ok)
  assert.equal(push(), SendResult.Unsent)
  socket.drain()
  await turns()
  // Frames of 47 bytes: 21 make 987.
  for (let i = 1; i <= 21; i++) assert.equal(push(), SendResult.Ok, `frame ${i}`)
  assert.equal(push(), SendResult.Unsent)
  assert.equal(wire.send(outgoing(3, 1, -1, '', '{}', '{}', 106, null)), SendResult.Unsent)
  // All but those that came after the first write: ten.
  socket.drain()
  await turns()
  assert.equal(push(530 - 47), SendResult.Ok)
  assert.equal(push(), SendResult.Unsent)
})

test('replies need to drain at a half and no more below a quarter, find room beside pushes, and the socket is read all the time', async () => {
  const socket = new StuckSocket()
  const wire = new SocketConnection(socket as unknown as Socket, '', '', options({ maxUnsent: 1000 }), new TurnScheduler())
  const told: string[] = []
  const recorder = new Recorder()
  recorder.onNeedsDrain = () => void told.push('needs drain')
  recorder.onDrained = () => void told.push('drained')
  wire.handler = recorder
  const send = (type: number): SendResult => wire.send(outgoing(type, 1, -1, '', '', '', 106, ''))
  while (send(3) === SendResult.Ok);
  assert.deepEqual([told, wire.needsDrain], [[], false])
  // Frames of 47 bytes: ten make 470, the eleventh passes a half, 21 make 987.
  for (let i = 1; i <= 21; i++) {
    assert.equal(send(2), SendResult.Ok, `reply ${i}`)
    assert.equal(wire.needsDrain, i > 10, `reply ${i}`)
  }
  assert.equal(send(2), SendResult.Unsent)
  assert.deepEqual(told, ['needs drain'])
  // What the socket has is done: pushes, behind which all replies are left.
  socket.drain()
  await turns()
  assert.deepEqual([told, wire.needsDrain], [['needs drain'], true])
  socket.drain()
  await turns()
  assert.deepEqual([told, wire.needsDrain, socket.reading], [['needs drain', 'drained'], false, true])
})

function clockOf(wire: unknown): { sweep: (clock: number) => boolean } {
  return { sweep: (clock) => (wire as SocketConnection).sweep(clock) }
}
