import assert from 'node:assert/strict'
import { it } from 'node:test'
import { authBearer, authChecker, Endpoint, StatusError } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, onEachTransport } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'
import { limit, scaled } from './support.ts'

const PEERS = scaled(200, 10_000)
const AT_ONCE = 20

/** Of every four one is a client of ours with a call at once behind its dial; the others send calls with the right word, a wrong one, and none. */
onEachTransport('no call is served before its session is known (T4)', (transport) => {
  it(`${PEERS} peers, each in a race with its own calls`, limit, async (t) => {
    const known = new Set<string>()
    const checker = authChecker(
      async (session, receiveOnce) => {
        const word = await receiveOnce()
        // Any turn may be the one in which a call slips through.
        for (let turns = Math.floor(Math.random() * 4); turns > 0; turns--) await new Promise(setImmediate)
        if (word !== 'friend') throw new StatusError(403, 'auth fail')
        known.add(session.id)
        return 'pass'
      },
      { codec: 'plain' },
    )
    const server = endpoint(t, { transport, plugins: [checker] })
    let early = 0
    let served = 0
    server.routeCall('/n', (n: number, { session }) => {
      served++
      if (!known.has(session.id)) early++
      return n
    })
    server.on('session', (session) => session.on('close', () => known.delete(session.id)))
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const friend = authBearer((_, sendOnce) => sendOnce('friend'), { codec: 'plain' })
    const call = (seq: number): Buffer => frame({ seq, method: '/n', body: String(seq) })
    const calls = Array.from({ length: 10 }, (_, n) => call(n + 2))
    const word = (body: string): Buffer => frame({ type: 4, codec: 115, body })
    const one = async (i: number): Promise<number> => {
      if (i % 4 === 0) {
        const client = new Endpoint({ transport, log: false, plugins: [friend] })
        const session = await client.dial(url)
        assert.equal(await session.call('/n', i), i)
        await client.close()
        return 1
      }
      const peer = await rawPeer(t, url)
      const first = i % 4 === 1 ? word('friend') : i % 4 === 2 ? word('foe') : call(1)
      peer.send(first, ...calls)
      if (i % 4 === 1) {
        const frames = await peer.received(1 + calls.length)
        assert.deepEqual([frames[0].type, frames[0].body], [5, 'pass'])
      } else {
        await peer.closed
        assert.ok(
          peer.frames.every(({ status: { code } }) => code !== 0),
          'a stranger was answered',
        )
      }
      peer.socket.resetAndDestroy()
      return i % 4 === 1 ? calls.length : 0
    }
    let due = 0
    for (let i = 0; i < PEERS; i += AT_ONCE) {
      const counts = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => one(i + n)))
      due += counts.reduce((a, b) => a + b)
    }
    assert.equal(early, 0)
    assert.equal(served, due)
  })
})
