import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerWheel } from '../../../src/base/time/timer-wheel.ts'
import type { CarrierOwner } from '../../../src/transports/js/carrier.ts'
import { netModule } from '../../../src/transports/js/deferred.ts'
import type { KcpCarrier as Carrier } from '../../../src/transports/js/kcp/carrier.ts'
import { type Resuming, TurnScheduler } from '../../../src/transports/js/turn-scheduler.ts'
import { fastKcp } from '../../../src/wire/kcp/settings.ts'
import { type TestClock, testClock } from '../../support/test-clock.ts'

await netModule.load()
const { KcpCarrier } = await import('../../../src/transports/js/kcp/carrier.ts')

/** Turns that end when the test says so. */
class ManualTurns extends TurnScheduler {
  #resuming: Resuming[] = []

  override resumeLater(connection: Resuming): void {
    this.#resuming.push(connection)
  }

  end(): void {
    for (const connection of this.#resuming.splice(0)) connection.resume()
  }
}

/** A carrier whose datagrams wait for the pair to pass them on. */
class End implements CarrierOwner {
  readonly carrier: Carrier
  sent: Buffer[] = []
  received: { datagram: Buffer; at: number }[] = []
  /** Bytes that were reported. */
  read = 0
  failed: string | undefined
  ended = false
  free = false
  /** Whether it waits for its peer when it is closed. */
  mayWait = true
  /** Whether its loop is blocked: what is sent to it waits. */
  busy = false

  constructor(clock: TestClock, turns: TurnScheduler, dialled: boolean) {
    this.carrier = new KcpCarrier({
      conv: 7,
      settings: { ...fastKcp, window: 16 },
      turns,
      wheel: new TimerWheel(clock),
      dialled,
      marked: true,
      send: (datagram) => void this.sent.push(Buffer.from(datagram)),
      onFree: () => {
        this.free = true
      },
      onIdle: () => this.mayWait,
    })
    this.carrier.owner = this
    this.carrier.resume()
  }

  onData(length: number): void {
    this.read += length
  }
  onError(error: NodeJS.ErrnoException): void {
    this.failed ??= error.code
  }
  onEnd(): void {
    this.ended = true
  }
  onWritten(): void {}
  onClosed(): void {}
}

/** Two ends in a time of their own. */
class Pair {
  /** Milliseconds in which the process was stopped. */
  stopped = 0
  readonly #time = testClock()
  readonly clock: TestClock = { ...this.#time, now: () => this.#time.now() + this.stopped }
  readonly turns = new ManualTurns()
  readonly dialled = new End(this.clock, this.turns, true)
  readonly accepted = new End(this.clock, this.turns, false)
  /** Milliseconds that a datagram takes. */
  delay = 0

  constructor() {
    for (const { carrier } of [this.dialled, this.accepted]) carrier.start()
  }

  run(ms: number): void {
    for (const end = this.clock.now() + ms; this.clock.now() < end; ) {
      this.clock.advance(1)
      this.turns.end()
      this.#pass(this.dialled, this.accepted)
      this.#pass(this.accepted, this.dialled)
    }
  }

  #pass(from: End, to: End): void {
    const now = this.clock.now()
    for (const datagram of from.sent.splice(0)) to.received.push({ datagram, at: now + this.delay })
    while (!to.busy && to.received.length > 0 && to.received[0].at <= now) to.carrier.receive(to.received.shift()!.datagram)
  }
}

/** A pair that knows its round trip. */
function pairOf(): Pair {
  const pair = new Pair()
  for (let n = 0; n < 20; n++) {
    call(pair)
    pair.run(20)
  }
  return pair
}

function call({ dialled }: Pair): void {
  dialled.carrier.write([Buffer.from('call')])
}

for (const idle of [0, 20_000]) {
  test(`a peer whose loop is blocked for 3 s, after ${idle} ms without traffic, ends no conversation, nor does the next one`, () => {
    const pair = pairOf()
    for (let round = 1; round <= 2; round++) {
      pair.run(idle)
      pair.accepted.busy = true
      call(pair)
      pair.run(3000)
      assert.equal(pair.dialled.failed, undefined)
      pair.accepted.busy = false
      pair.run(500)
      assert.equal(pair.accepted.read, (20 + round) * 4)
    }
    pair.run(20_000)
    call(pair)
    pair.run(100)
    assert.equal(pair.dialled.failed, undefined)
  })
}

test('a peer that is silent for 10 s while a segment is sent often ends the conversation', () => {
  const pair = pairOf()
  pair.run(20_000)
  pair.accepted.busy = true
  call(pair)
  pair.run(9900)
  assert.equal(pair.dialled.failed, undefined)
  pair.run(1100)
  assert.equal(pair.dialled.failed, 'ETIMEDOUT')
})

test('a close sends all that was written, also when that takes more than 2 s, as long as the peer acknowledges it', () => {
  const pair = pairOf()
  const before = pair.accepted.read
  pair.delay = 500
  const size = 60 * 1376 // four windows
  pair.dialled.carrier.write([Buffer.alloc(size)])
  pair.dialled.carrier.destroy()
  pair.run(10_000)
  assert.equal(pair.accepted.read - before, size)
})

test('a conversation that is idle is asked about, and goes on: however the clocks of its ends begin', () => {
  for (let n = 0; n < 8; n++) {
    const pair = pairOf()
    pair.run(200_000)
    assert.deepEqual([pair.dialled.failed, pair.accepted.failed], [undefined, undefined])
    call(pair)
    pair.run(100)
    assert.equal(pair.accepted.read, 21 * 4)
  }
})

test('a peer that answers nothing is asked, and given up after 35 s of silence, or 70 where it was accepted', () => {
  const pair = pairOf()
  const { dialled, accepted } = pair
  pair.run(100)
  for (const end of [dialled, accepted]) end.busy = true
  pair.run(34_800)
  assert.equal(dialled.failed, undefined)
  pair.run(1000)
  assert.equal(dialled.failed, 'ETIMEDOUT')
  pair.run(33_500)
  assert.equal(accepted.failed, undefined)
  pair.run(1500)
  assert.equal(accepted.failed, 'ETIMEDOUT')
})

for (const calls of [false, true]) {
  test(`a process that was stopped asks its peers before it gives them up, ${calls ? 'with a call on its way' : 'when all was quiet'}`, () => {
    const pair = pairOf()
    if (calls) {
      pair.accepted.busy = true
      call(pair)
      pair.run(3000)
      pair.accepted.busy = false
    }
    pair.stopped = 60_000
    pair.run(30_000)
    assert.deepEqual([pair.dialled.failed, pair.accepted.failed], [undefined, undefined])
    assert.equal(pair.accepted.read, (calls ? 21 : 20) * 4)
  })
}

test('a peer that does not read hears of a close before all was sent', () => {
  const pair = pairOf()
  pair.accepted.carrier.pause()
  pair.dialled.carrier.write([Buffer.alloc(60 * 1376)])
  pair.run(100)
  pair.dialled.carrier.destroy()
  pair.run(1500)
  assert.equal(pair.accepted.failed, undefined)
  pair.run(1000)
  assert.equal(pair.accepted.failed, 'ECONNRESET')
})

test('a peer that reads late gets all that was sent before a close, and no reset', () => {
  const pair = pairOf()
  const { dialled, accepted } = pair
  const before = accepted.read
  accepted.carrier.pause()
  dialled.carrier.write([Buffer.alloc(10 * 1376)])
  dialled.carrier.destroy()
  pair.run(5000)
  assert.deepEqual([accepted.failed, accepted.ended], [undefined, false])
  accepted.carrier.resume()
  assert.deepEqual([accepted.read - before, accepted.ended], [10 * 1376, true])
})

test('a close that may not wait for its peer leaves nothing behind, and the peer hears of it', () => {
  const pair = pairOf()
  const { dialled, accepted } = pair
  accepted.carrier.pause()
  dialled.mayWait = false
  dialled.carrier.write([Buffer.alloc(20 * 1376)])
  assert.equal(dialled.free, false)
  dialled.carrier.destroy()
  assert.equal(dialled.free, true)
  pair.run(1)
  assert.equal(accepted.failed, 'ECONNRESET')
})

test('only new data is a sign of life, not acknowledgements, questions or copies', () => {
  const pair = pairOf()
  const { dialled, accepted } = pair
  const before = accepted.carrier.bytesRead
  assert.equal(before, 20 * 4)
  pair.run(70_000)
  call(pair)
  pair.clock.advance(1)
  for (const datagram of dialled.sent.slice()) dialled.sent.push(Buffer.from(datagram))
  pair.run(100)
  assert.deepEqual([dialled.carrier.bytesRead, accepted.carrier.bytesRead], [0, before + 4])
})
