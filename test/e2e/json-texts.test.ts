import assert from 'node:assert/strict'
import { it } from 'node:test'
import { frame } from '../support/frames.ts'
import { endpoint, onEachTransport, pair } from '../support/helpers.ts'
import { random } from '../support/random.ts'
import { rawPeer } from '../support/raw-peer.ts'

const SEED = 20261129
const COUNT = 3000

/** Texts of all lengths: mostly plain, each with a few characters of one kind. */
function someTexts(): string[] {
  const below = random(SEED)
  const between = (first: number, last: number): string => String.fromCharCode(first + below(last - first + 1))
  const kinds = [
    () => between(0x20, 0x7e),
    () => between(0, 0x1f),
    () => '"\\/\u007f'[below(4)],
    () => between(0x80, 0x7ff),
    () => between(0x800, 0xffff),
    () => between(0xd800, 0xdfff), // mostly alone
    () => '🚀\u2028\ufffd'[below(4)],
  ]
  return Array.from({ length: COUNT }, () => {
    const rare = kinds[below(kinds.length)]
    const every = 1 + below(60)
    return Array.from({ length: below(below(4) === 0 ? 2000 : 260) }, () => (below(every) === 0 ? rare() : kinds[0]())).join('')
  })
}

onEachTransport('texts in JSON', (transport) => {
  it(`are sent byte for byte as JSON.stringify has them (seed ${SEED})`, async (t) => {
    const texts = someTexts()
    const server = endpoint(t, { transport })
    server.routeCall('/text', (index: unknown) => texts[index as number])
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const peer = await rawPeer(t, url)
    for (let sent = 0; sent < COUNT; ) {
      const calls = texts.slice(sent, sent + 100).map((_, i) => frame({ seq: sent + i, method: '/text', body: `${sent + i}` }))
      peer.send(...calls)
      sent += calls.length
      await peer.received(sent)
    }
    for (const { seq, body } of peer.frames) assert.equal(body, JSON.stringify(texts[parseInt(seq, 36)]))
  })

  it('arrive as they were sent, both ways, in calls and pushes', async (t) => {
    const texts = someTexts().slice(0, 1000)
    const { server, session } = await pair(t, transport)
    const pushed: unknown[] = []
    server.routePush('/text', (text: unknown) => void pushed.push(text))
    server.routeCall('/text', (text: unknown) => text)
    for (const text of texts) void session.push('/text', text)
    assert.deepEqual(await Promise.all(texts.map((text) => session.call('/text', text))), texts)
    assert.deepEqual(pushed, texts)
  })

  it('of characters that are all escaped pass where little may wait', async (t) => {
    const text = '\u0001'.repeat(200)
    const { server, session } = await pair(t, transport, { server: { limits: { maxUnsent: 256 * 1024, maxMessage: 256 * 1024 } } })
    server.routeCall('/text', (value: unknown) => value)
    assert.deepEqual(new Set(await Promise.all(Array.from({ length: 100 }, () => session.call('/text', text)))), new Set([text]))
  })
})
