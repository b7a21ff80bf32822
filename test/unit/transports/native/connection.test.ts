import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../../../src/base/limits.ts'
import { CloseReason } from '../../../../src/message/close-reason.ts'
import { Incoming } from '../../../../src/message/message.ts'
import { NativeConnection } from '../../../../src/transports/native/connection.ts'
import type { ConnectionCore } from '../../../../src/transports/native/connection-core.ts'

/** A core that says nothing and notes what is asked of it. */
function fakeCore(): ConnectionCore & { destroyed: number[] } {
  const destroyed: number[] = []
  return {
    control: new Int32Array(64),
    sends: new Int32Array(64),
    outbox: Buffer.alloc(64),
    unsent: new Int32Array(1),
    replies: new Int32Array(1),
    activity: new Int32Array(1),
    drain() {},
    drainWith() {},
    end() {},
    pauseReading() {},
    setFraming() {},
    setSocketOption: () => 0,
    descriptor: () => -1,
    destroy: (_slot, _generation, reason) => void destroyed.push(reason),
    destroyed,
  }
}

/** A wire whose connection was just made, before anybody took it over. */
function dialled(): { wire: NativeConnection; core: ReturnType<typeof fakeCore> } {
  const core = fakeCore()
  const wire = new NativeConnection(core, 0, 1, defaultLimits)
  wire.connected()
  return { wire, core }
}

function message(seq: number): Incoming {
  const made = new Incoming()
  made.seq = seq
  return made
}

/** What the sink of `wire` is told. */
function listen(wire: NativeConnection): string[] {
  const told: string[] = []
  wire.handler = {
    onMessage: ({ seq }) => void told.push(`message ${seq}`),
    onClose: (reason, detail) => void told.push(`closed ${reason}${detail}`),
  }
  return told
}

const nextTurn = (): Promise<void> => new Promise(setImmediate)

test('what comes with the connection waits for its sink, in order, and is not told from inside the setter', async () => {
  const { wire } = dialled()
  const borrowed = message(1)
  wire.receive(borrowed)
  borrowed.seq = 99 // the core's only one: it is used again
  wire.receive(message(2))
  const told = listen(wire)
  wire.receive(message(3))
  assert.deepEqual(told, [])
  await nextTurn()
  assert.deepEqual(told, ['message 1', 'message 2', 'message 3'])
  wire.receive(message(4))
  assert.equal(told.at(-1), 'message 4')
})

test('a connection that closed in the batch that made it tells its sink, after what came before', async () => {
  const { wire } = dialled()
  wire.receive(message(1))
  wire.onClosed(CloseReason.Peer, 0)
  assert.equal(wire.open, false)
  const told = listen(wire)
  assert.deepEqual(told, [])
  await nextTurn()
  assert.deepEqual(told, ['message 1', `closed ${CloseReason.Peer}`])
})

test('a connection that closed with nothing said tells its sink', async () => {
  const { wire } = dialled()
  wire.onClosed(CloseReason.Peer, 0)
  const told = listen(wire)
  await nextTurn()
  assert.deepEqual(told, [`closed ${CloseReason.Peer}`])
})

test('a reset in the batch that made the connection tells its sink once, with its name', async () => {
  const { wire } = dialled()
  wire.receive(message(1))
  wire.onClosed(CloseReason.Io, -104)
  const told = listen(wire)
  await nextTurn()
  await nextTurn()
  assert.deepEqual(told, [`closed ${CloseReason.Io}ECONNRESET`])
})

test('a sink that holds at once gets nothing until it releases, the end last', async () => {
  const { wire } = dialled()
  wire.receive(message(1))
  wire.onClosed(CloseReason.Peer, 0)
  const told = listen(wire)
  wire.pauseReading()
  await nextTurn()
  assert.deepEqual(told, [])
  wire.resumeReading()
  assert.deepEqual(told, ['message 1', `closed ${CloseReason.Peer}`])
  await nextTurn()
  assert.equal(told.length, 2)
})

test('what was destroyed before its sink was told tells why, and no message', async () => {
  const { wire } = dialled()
  wire.receive(message(1))
  wire.onClosed(CloseReason.Peer, 0)
  const told = listen(wire)
  wire.destroy(CloseReason.Local)
  await nextTurn()
  assert.deepEqual(told, [`closed ${CloseReason.Local}`])
})

test('a connection that nobody takes over may end and be destroyed', async () => {
  const { wire, core } = dialled()
  wire.receive(message(1))
  wire.onClosed(CloseReason.Peer, 0)
  wire.destroy(CloseReason.Local)
  await nextTurn()
  assert.deepEqual(core.destroyed, [CloseReason.Local])
})

test('a sink that throws at what waited for it costs its connection and no other', async () => {
  const { wire, core } = dialled()
  wire.receive(message(1))
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  wire.handler = {
    onMessage: () => {
      throw new Error('a bug')
    },
    onClose: () => {},
  }
  assert.match((await warned).message, /a bug/)
  assert.deepEqual(core.destroyed, [CloseReason.Local])
})
