import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { realClock } from '../../../src/base/time/clock.ts'
import { type TimerEntry, TimerWheel } from '../../../src/base/time/timer-wheel.ts'
import { makeFilters } from '../../../src/filters/filter-table.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { Incoming } from '../../../src/message/message.ts'
import { StreamConnection } from '../../../src/protos/connection/stream-connection.ts'
import { type Proto, ProtoError } from '../../../src/protos/proto.ts'
import { type ConnectionHandler, SendResult, type TransportConnection } from '../../../src/transports/transport.ts'

/** Uses up every byte: `(` begins a message, `)` ends it, `?` is answered and refused. */
const brackets: Proto = {
  id: 220,
  name: 'brackets',
  framing: 'stream',
  open() {
    const session = {
      unfinished: false,
      pack: () => '',
      unpack(bytes: Buffer, start: number, _end: number, message: Incoming) {
        if (bytes[start] === 0x3f) throw new ProtoError('a question', undefined, 'no\n')
        session.unfinished = bytes[start] === 0x28
        if (!session.unfinished) message.type = 3
        return 1
      },
    }
    return session
  },
}

/** Timers that expire when the test says so. */
class ManualWheel extends TimerWheel {
  readonly waiting = new Set<TimerEntry>()
  override add(node: TimerEntry): void {
    this.waiting.add(node)
  }
  override remove(node: TimerEntry): void {
    this.waiting.delete(node)
  }
  /** Until nothing is added anew: a clock gives some grace. */
  expireAll(): void {
    for (let i = 0; i < 10; i++) {
      const due = [...this.waiting]
      this.waiting.clear()
      for (const node of due) node.expire(0)
    }
  }
}

/** A wire whose socket is the test. */
function make() {
  const wheel = new ManualWheel()
  const calls: string[] = []
  const socket: TransportConnection & { needsDrain: boolean } = {
    handler: undefined as unknown as ConnectionHandler,
    needsDrain: false,
    localAddress: '',
    remoteAddress: '',
    activity: 0,
    envelope: undefined,
    pauseReading: () => void calls.push('pause'),
    resumeReading: () => void calls.push('resume'),
    destroy: (reason: number) => void calls.push(`destroy ${reason}`),
    end: () => void calls.push('end'),
    send: () => assert.fail('bytes were expected'),
    sendFrame: () => assert.fail('bytes were expected'),
    sendBytes: () => SendResult.Ok,
    sendInPlace: () => undefined,
    setFraming: () => {},
  }
  const owner = { limits: defaultLimits, filters: makeFilters([]), wheel, clock: realClock }
  const wire = new StreamConnection(socket, brackets, owner, undefined)
  let messages = 0
  wire.handler = { onMessage: () => messages++, onClose: () => {} }
  const receive = (text: string): void => {
    const message = new Incoming()
    message.setUnparsed(Buffer.from(text), 0, text.length)
    socket.handler.onMessage(message)
  }
  return { wheel, calls, socket, wire, receive, count: () => messages }
}

test('a message begun while the peer did not read is on the clock once it does', () => {
  const { wheel, calls, socket, receive } = make()
  receive('(')
  assert.equal(wheel.waiting.size, 1)
  receive(')')
  assert.equal(wheel.waiting.size, 0)
  // The whole read is used up before anybody looks: nothing is left that would be delivered later.
  receive('(')
  socket.needsDrain = true
  receive('(')
  wheel.expireAll()
  assert.deepEqual(calls, [])
  socket.needsDrain = false
  socket.handler.onDrained?.()
  wheel.expireAll()
  assert.deepEqual(calls, [`destroy ${CloseReason.FrameTimeout}`])
})

test('a peer that is told goodbye has the time to read it, whatever it had begun', () => {
  const { wheel, calls, receive } = make()
  receive('(')
  receive('?')
  wheel.expireAll()
  assert.deepEqual(calls, ['end'])
})

test('pauses add up, and the connection is paused once', () => {
  const { calls, wire, receive, count } = make()
  wire.pauseReading()
  wire.pauseReading()
  receive(')))')
  wire.resumeReading()
  assert.equal(count(), 0)
  wire.resumeReading()
  assert.equal(count(), 3)
  assert.deepEqual(calls, ['pause', 'resume'])
})

test('a pause that begins while what waited is handed on does not pause the connection twice', () => {
  const { calls, wire, receive } = make()
  let again = true
  wire.handler = {
    onMessage() {
      if (again) wire.pauseReading()
      again = false
    },
    onClose: () => {},
  }
  wire.pauseReading()
  receive('))')
  wire.resumeReading()
  assert.deepEqual(calls, ['pause'])
  wire.resumeReading()
  assert.deepEqual(calls, ['pause', 'resume'])
})
