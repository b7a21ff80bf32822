import assert from 'node:assert/strict'
import { it } from 'node:test'
import { onEachTransport } from '../support/helpers.ts'
import { compareTransports, note, victim } from '../support/hostile.ts'
import { envelope, speakers } from '../support/hostile-protocols.ts'
import { httpCorpus } from '../support/http-corpus.ts'
import { jsonrpcCorpus, redisCorpus } from '../support/line-corpus.ts'
import { mutations } from '../support/mutations.ts'
import { corpus } from '../support/proto-corpus.ts'

const payloads = (golden: readonly { payload: Buffer }[]): Buffer[] => golden.map(({ payload }) => payload)

const samples: Record<keyof typeof speakers, readonly Buffer[]> = {
  json: payloads(corpus.json),
  protobuf: payloads(corpus.protobuf),
  http: payloads(httpCorpus),
  jsonrpc: payloads(jsonrpcCorpus),
  redis: payloads(redisCorpus),
}

const PER_PROTOCOL = 300
/** Connections at a time. */
const AT_ONCE = 20

onEachTransport('hostile mutations', (transport) => {
  for (const { name } of Object.values(speakers)) {
    it(`${name}: ${PER_PROTOCOL} damaged messages over sockets (F14)`, async (t) => {
      const target = await victim(t, transport, name)
      const framed = name === 'json' || name === 'protobuf'
      const golden = samples[name as keyof typeof speakers]
      // Half of those in envelopes have a good envelope, so that what is in it is read at all.
      const damaged = framed
        ? [...mutations(golden, PER_PROTOCOL / 2, 11)]
            .map((payload) => envelope(payload))
            .concat([
              ...mutations(
                golden.map((payload) => envelope(payload)),
                PER_PROTOCOL / 2,
                12,
              ),
            ])
        : [...mutations(golden, PER_PROTOCOL, 11)]
      await target.meanwhile(async () => {
        for (let at = 0; at < damaged.length; at += AT_ONCE) {
          const strangers = await Promise.all(damaged.slice(at, at + AT_ONCE).map(() => target.stranger()))
          for (const [i, stranger] of strangers.entries()) stranger.socket.end(damaged[at + i])
          await Promise.all(strangers.map(({ closed }) => closed))
        }
        // The client of the control session is another endpoint: one session is left here.
        while (target.server.sessionCount > 1) await target.control.call('/echo', 0)
      })
      assert.equal(damaged.length, PER_PROTOCOL)
      // jsonrpc answers most of what is no message.
      assert.ok(target.server.stats.violations > 0 || name === 'jsonrpc')
      assert.equal(target.reasons().length, target.server.stats.violations)
      note(`${name} F14`, transport, target.reasons().sort())
    })
  }
})

compareTransports()
