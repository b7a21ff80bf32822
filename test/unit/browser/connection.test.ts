import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { type Clock, turn } from '../../../src/base/time/clock.ts'
import { PageConnection } from '../../../src/browser/connection.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { MessageType } from '../../../src/message/message.ts'
import { Outgoing } from '../../../src/message/outgoing.ts'
import { SendResult } from '../../../src/transports/transport.ts'
import { Framing } from '../../../src/wire/framing.ts'

/** The browser's WebSocket, in which nothing happens by itself. */
class FakeSocket {
  static last: FakeSocket
  binaryType = ''
  bufferedAmount = 0
  readyState = 0
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  onerror: (() => void) | null = null
  readonly sent: Uint8Array[] = []
  readonly closed: (number | undefined)[] = []
  readonly url: string

  constructor(url: string) {
    this.url = url
    FakeSocket.last = this
  }

  send(data: Uint8Array): void {
    this.sent.push(Uint8Array.from(data))
    this.bufferedAmount += data.length
  }

  close(code?: number): void {
    this.closed.push(code)
    this.readyState = 2
  }
}

/** A clock that stands still until `pass`. */
class FakeClock implements Clock {
  #now = 0
  readonly #timers = new Map<object, { at: number; run: () => void }>()
  readonly now = (): number => this.#now
  readonly random = (): number => 0
  readonly setTimeout = (run: () => void, ms: number): { unref(): void } => {
    const timer = { unref: () => {} }
    this.#timers.set(timer, { at: this.#now + ms, run })
    return timer
  }
  readonly clearTimeout = (timer: object | undefined): void => {
    if (timer !== undefined) this.#timers.delete(timer)
  }

  pass(ms: number): void {
    for (const end = this.#now + ms; ; ) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)
      if (next === undefined) {
        this.#now = end
        return
      }
      this.#now = next[1].at
      this.#timers.delete(next[0])
      next[1].run()
    }
  }
}

describe('a connection of a page', () => {
  let clock: FakeClock
  const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket')
  beforeEach(() => {
    clock = new FakeClock()
    Object.defineProperty(globalThis, 'WebSocket', { value: FakeSocket, configurable: true, writable: true })
  })
  afterEach(() => {
    if (before === undefined) delete (globalThis as { WebSocket?: unknown }).WebSocket
    else Object.defineProperty(globalThis, 'WebSocket', before)
  })

  function dialled(limits: object = {}): { connection: PageConnection; opened: Promise<void> } {
    const address = { kind: 'tcp', host: 'a.example', port: 443, scheme: 'wss', path: '/rpc' } as const
    const connection = new PageConnection(address, { ...defaultLimits, ...limits }, clock)
    return { connection, opened: connection.open('a.example', '/rpc', 'dmicro.raw', Framing.Raw, new AbortController().signal) }
  }

  /** An open connection, and what its handler was called with. */
  async function open(limits: object = {}): Promise<{ connection: PageConnection; socket: FakeSocket; events: unknown[] }> {
    const { connection, opened } = dialled(limits)
    const socket = FakeSocket.last
    socket.readyState = 1
    socket.onopen?.()
    await opened
    const events: unknown[] = []
    connection.handler = {
      onMessage: ({ seq }) => events.push(seq),
      onNeedsDrain: () => events.push('needs drain'),
      onDrained: () => events.push('drained'),
      onClose: (reason, detail) => events.push([reason, detail]),
    }
    return { connection, socket, events }
  }

  const push = (seq: number, size = 100, type: number = MessageType.Push): Outgoing =>
    new Outgoing().head(type, seq, -1, '/a', '', '').content(106, 'x'.repeat(size))

  it('gives up after 10 seconds, when the browser goes on connecting', async () => {
    const { opened } = dialled()
    assert.equal(FakeSocket.last.url, 'wss://a.example/rpc')
    clock.pass(10_000)
    await assert.rejects(opened, /no connection to wss:\/\/a\.example\/rpc within 10000 ms/)
    assert.equal(FakeSocket.last.closed.length, 1)
  })

  it('has ended after 2 seconds, when the peer does not answer the close frame', async () => {
    const { connection, socket, events } = await open()
    connection.end()
    assert.deepEqual(socket.closed, [1000])
    clock.pass(1_999)
    await turn()
    assert.deepEqual(events, [])
    clock.pass(1)
    await turn()
    assert.deepEqual(events, [[CloseReason.Local, '']])
  })

  it('takes a reset, which has no close frame, for an ordinary end', async () => {
    const { socket, events } = await open()
    socket.onclose?.({ code: 1006 })
    await turn()
    assert.deepEqual(events, [[CloseReason.Peer, '']])
  })

  it('refuses messages while the browser holds maxUnsent, and counts replies apart', async () => {
    const { connection, socket, events } = await open({ maxUnsent: 1000 })
    assert.equal(connection.send(push(1, 800)), SendResult.Ok)
    assert.equal(connection.send(push(2, 800)), SendResult.Unsent)
    assert.equal(connection.send(push(3, 500, MessageType.Reply)), SendResult.Ok)
    assert.equal(connection.send(push(4, 800, MessageType.Reply)), SendResult.Unsent)
    assert.equal(socket.sent.length, 2)
    assert.deepEqual([connection.needsDrain, ...events], [true, 'needs drain'])
    socket.bufferedAmount = 0
    clock.pass(100)
    assert.deepEqual([connection.needsDrain, ...events], [false, 'needs drain', 'drained'])
    assert.equal(connection.send(push(2, 800)), SendResult.Ok)
  })

  it('closes when the peer reads nothing for writeTimeout', async () => {
    const { connection, events } = await open({ writeTimeout: 5_000 })
    connection.send(push(1))
    clock.pass(5_500)
    await turn()
    assert.deepEqual(events, [[CloseReason.WriteTimeout, '']])
  })

  it('keeps messages while reading is paused, and delivers them in order', async () => {
    const { connection, socket, events } = await open()
    const frames = await open().then(({ connection, socket }) => {
      for (const seq of [1, 2, 3]) connection.send(push(seq))
      return socket.sent
    })
    for (const frame of frames) socket.onmessage?.({ data: frame.buffer })
    await turn()
    assert.deepEqual(events, [])
    connection.resumeReading() // as a dialled session does
    await turn()
    assert.deepEqual(events, [1, 2, 3])
  })

  it('closes with a code of script when the peer breaks the protocol', async () => {
    const { connection, socket, events } = await open()
    connection.resumeReading()
    socket.onmessage?.({ data: new ArrayBuffer(3) })
    assert.deepEqual(socket.closed, [4002])
    socket.onclose?.({ code: 1006 })
    await turn()
    assert.deepEqual(events, [[CloseReason.Malformed, '']])
  })
})
