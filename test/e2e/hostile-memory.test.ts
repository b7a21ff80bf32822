import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bytes } from '../../src/index.ts'
import { onEachTransport } from '../support/helpers.ts'
import { victim } from '../support/hostile.ts'
import { speakers } from '../support/hostile-protocols.ts'

const SENTINEL = 0xa5
const run = '\xa5\xa5\xa5\xa5'

/** Memory that is handed out with whatever was in it has the sentinel in it while `work` runs. */
async function tainted(work: () => Promise<void>): Promise<void> {
  const { allocUnsafe, allocUnsafeSlow } = Buffer
  Buffer.allocUnsafe = (size) => allocUnsafe(size).fill(SENTINEL)
  Buffer.allocUnsafeSlow = (size) => allocUnsafeSlow(size).fill(SENTINEL)
  try {
    await work()
  } finally {
    Object.assign(Buffer, { allocUnsafe, allocUnsafeSlow })
  }
}

onEachTransport('hostile memory', (transport) => {
  for (const { name, call } of Object.values(speakers)) {
    it(`${name}: what lay in memory before never reaches the wire (P4)`, async (t) => {
      const target = await victim(t, transport, name)
      const echo = name === 'redis' ? 'echo' : '/echo'
      await tainted(async () => {
        // The native core's outbox, all of it, and the chunks of the other transport.
        const dirt = Buffer.alloc(500_000, SENTINEL)
        target.server.routeCall('/dirt', () => dirt)
        for (let i = 0; i < 4; i++) await target.control.call('/dirt', undefined, { result: bytes })
        const stranger = await target.stranger()
        let tokens = 0
        for (const size of [0, 1, 3, 50, 1023, 1024, 4090, 4096, 5000, 65_530, 70_000, 1_200_000]) {
          // Characters of one, two and three bytes: bounds of what text takes are wider than the text.
          for (const letter of ['x', 'é', '世']) {
            const token = `end${++tokens}.`
            const text = letter.repeat(size) + token
            stranger.send(call(name === 'redis' ? text : JSON.stringify(text), { method: echo }))
            await stranger.hears(token)
          }
        }
        stranger.send(call('1', { method: name === 'http' ? '/none' : 'none' }))
        stranger.send(call(name === 'redis' ? 'last.' : '"last."', { method: echo }))
        await stranger.hears('last.')
        assert.ok(!stranger.received.includes(run), 'bytes of other messages')
        assert.equal(target.server.stats.violations, 0)
      })
    })
  }
})
