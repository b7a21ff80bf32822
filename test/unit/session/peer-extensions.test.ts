import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realClock } from '../../../src/base/time/clock.ts'
import { decodeAnnouncement } from '../../../src/message/announcement.ts'
import { Incoming, MessageType } from '../../../src/message/message.ts'
import { Reserved } from '../../../src/message/names.ts'
import { PeerExtensions, type PeerExtensionsOwner } from '../../../src/session/peer-extensions.ts'

/** A session that only takes notes. */
function owned(timeout = 0, filters: string[] = []) {
  const notes: unknown[][] = []
  const owner = new Proxy({} as PeerExtensionsOwner, {
    get:
      (_, name) =>
      (...args: unknown[]) => {
        notes.push([name, ...args])
      },
  })
  const peering = new PeerExtensions(owner, realClock, timeout, filters)
  return { peering, notes, pushes: () => notes.filter(([name]) => name === 'pushReserved').map(([, ...args]) => args) }
}

function message(type: number, route: number, body: unknown): Incoming {
  const incoming = new Incoming()
  incoming.type = type
  incoming.route = route
  incoming.setBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
  return incoming
}

const push = (route: number, body: unknown): Incoming => message(MessageType.Push, route, body)

test('whoever announces himself is answered once, and from then on known', () => {
  const { peering, notes, pushes } = owned(7000, ['aes'])
  assert.equal(peering.supported, false)
  assert.equal(peering.peerTimeout, 0)
  peering.onAnnouncement('1;hop=a;timeout=300;filters=gzip', 10)
  assert.equal(peering.supported, true)
  assert.equal(peering.announced, true, 'nothing more is to be announced')
  assert.equal(peering.peerTimeout, 300)
  assert.deepEqual(pushes(), [[Reserved.Hello, '1;hop=a;timeout=7000;filters=aes', ['gzip']]])
  assert.deepEqual(notes.at(-1), ['onPeerKnown'])
  peering.onAnnouncement('1;hop=b;timeout=1', 11)
  assert.equal(pushes().length, 1)
  assert.equal(peering.peerTimeout, 300)
})

test('an announcement under another number, or unreadable, makes nobody known', () => {
  const { peering, notes } = owned()
  peering.onAnnouncement('1;hop=a', 11)
  peering.onAnnouncement('2;hop=a', 10)
  peering.onAnnouncement('', 0)
  assert.equal(peering.supported, false)
  assert.deepEqual(notes, [])
})

test('numbers of announcing messages are int32 and far from those of others', () => {
  const { peering } = owned()
  for (let i = 0; i < 1000; i++) {
    const hop = peering.nextAnnouncementSeq()
    assert.ok(hop >= 0x4000_0000 && (hop | 0) === hop, String(hop))
    assert.equal(decodeAnnouncement(peering.announcement)?.announcementSeq, hop)
  }
})

test('only the answer to our own announcement counts', () => {
  const { peering, notes } = owned()
  assert.equal(peering.receive(push(Reserved.Hello, '1;hop=1')), true)
  assert.equal(peering.supported, false, 'we have said nothing yet')
  const hop = peering.nextAnnouncementSeq().toString(36)
  peering.receive(push(Reserved.Hello, `"1;hop=1${hop}"`))
  peering.receive(push(Reserved.Hello, hop))
  assert.equal(peering.supported, false)
  peering.receive(push(Reserved.Hello, JSON.stringify(`1;hop=${hop};timeout=40`)))
  assert.equal(peering.supported, true)
  assert.equal(peering.peerTimeout, 40)
  assert.deepEqual(notes, [['onPeerKnown']])
})

test('of a stranger our routes are routes like any other', () => {
  const { peering } = owned()
  for (const route of [Reserved.Cancel, Reserved.Drain, Reserved.Resume, Reserved.Ack])
    assert.equal(peering.receive(push(route, { seq: 1, code: 499 })), false)
  assert.equal(peering.receive(message(MessageType.Call, Reserved.Hello, '')), false)
})

test('cancellations wait for the answer to our announcement, some of them', () => {
  const { peering, pushes } = owned()
  peering.cancel(1, 499)
  assert.deepEqual(pushes(), [], 'nothing was announced: nothing is owed')
  const hop = peering.nextAnnouncementSeq().toString(36)
  for (let seq = 1; seq <= 1000; seq++) peering.cancel(seq, 499)
  assert.deepEqual(pushes(), [])
  peering.receive(push(Reserved.Hello, JSON.stringify(`1;hop=${hop}`)))
  assert.equal(pushes().length, 64)
  assert.deepEqual(pushes()[0], [Reserved.Cancel, { seq: 1, code: 499 }, []])
  peering.cancel(2000, 408)
  assert.deepEqual(pushes()[64], [Reserved.Cancel, { seq: 2000, code: 408 }, []])
})

test('a cancellation tells why, and nonsense cancels nothing', () => {
  const { peering, notes } = owned()
  peering.onAnnouncement('1;hop=1', 1)
  notes.splice(0)
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '7',
    '"x"',
    '{"seq":1.5}',
    '{"seq":"1"}',
    '{"seq":4294967296}',
    `{"seq":1,"x":"${'y'.repeat(3000)}"}`,
  ])
    assert.equal(peering.receive(push(Reserved.Cancel, body)), true)
  assert.equal(notes.length, 0)
  peering.receive(push(Reserved.Cancel, { seq: -5, code: 408 }))
  peering.receive(push(Reserved.Cancel, { seq: 6, code: 'whatever' }))
  assert.deepEqual(notes, [
    ['onCancel', -5, 408],
    ['onCancel', 6, 499],
  ])
})

test('notice is given once, and only to whom we know', () => {
  const { peering, pushes } = owned()
  assert.equal(peering.drain(10), false)
  peering.onAnnouncement('1;hop=1', 1)
  assert.equal(peering.drain(10), true)
  assert.equal(peering.drain(10), false)
  assert.deepEqual(pushes().slice(1), [[Reserved.Drain, 10, []]])
})

test("a peer's notice has its limit, within ours; the answer to our own is told from it", () => {
  for (const [body, limit] of [
    [500, 500],
    ['', 3_600_000],
    [-1, 3_600_000],
    ['"x"', 3_600_000],
    [1e300, 3_600_000],
  ] as const) {
    const { peering, notes } = owned()
    peering.onAnnouncement('1;hop=1', 1)
    peering.receive(push(Reserved.Drain, body))
    assert.deepEqual(notes.at(-1), ['onPeerDrain', false, limit])
    peering.drain(0)
    peering.receive(push(Reserved.Drain, body))
    assert.deepEqual(notes.at(-1), ['onPeerDrain', true, limit])
  }
})
