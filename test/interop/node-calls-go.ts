import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { type DialOptions, Endpoint, insecureAes, type Session } from '../../src/index.ts'
import { nodeChecks } from './node-checks/index.ts'
import type { Outcomes } from './outcomes.ts'
import { type ProtocolName, speaking } from './protocols.ts'
import { aesKey, type Notebook, offerClientRoutes } from './routes.ts'

/** Registers one test for each thing a Node client must be able to do with a Go server. One session serves them all. */
export function nodeCallsGo(
  transport: 'native' | 'js',
  protocol: ProtocolName,
  url: () => string,
  outcomes: Outcomes,
  options?: DialOptions,
): void {
  let client: Endpoint
  let session: Session
  let pushed: Notebook

  before(async () => {
    client = new Endpoint({ ...speaking(protocol), transport, timeout: 10_000, log: false, filters: [insecureAes(aesKey)] })
    assert.equal(client.transport.kind, transport)
    pushed = offerClientRoutes(client)
    session = await client.dial(url(), options)
  })
  after(async () => {
    await session.close()
    await client.close()
  })

  for (const { name, row, not, run } of nodeChecks) {
    const result = { direction: 'Node calls Go', protocol, row, name, transport } as const
    const reason = not?.[protocol]
    if (reason !== undefined) {
      outcomes.add({ ...result, outcome: reason })
      continue
    }
    it(name, async () => {
      try {
        await run({ protocol, session, pushed })
        outcomes.add({ ...result, outcome: 'works' })
      } catch (error) {
        outcomes.add({ ...result, outcome: 'fails' })
        throw error
      }
    })
  }
}
