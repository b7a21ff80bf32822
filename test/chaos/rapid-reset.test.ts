import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Endpoint, type Session } from '../../src/index.ts'
import { onEachTransport } from '../support/helpers.ts'
import { Child, limit, Samples, scaled } from './support.ts'

/** Calls that one peer makes and cancels at once. */
const CALLS = scaled(2_000, 100_000)
/**
 * A second, as many as a client of ours comes to. The peer writes what it has ready: on two cores one that computes takes the processor from the server and
 * from those who measure, and what they see then is the scheduler.
 */
const RATE = 25_000
const MAX_RUNNING = 100
/** Sessions of another process that call meanwhile. */
const OTHERS = 10
/** Rest and resets are measured in turn, and as many ordinary calls of the same peer to compare; the median of what each round says counts. */
const ROUNDS = scaled(1, 10)
/** Milliseconds that the others are measured at rest, in each round. */
const REST = scaled(150, 1000)

interface Look {
  most: number
  running: number
  began: number
}

onEachTransport('rapid reset', (transport) => {
  it(
    'calls cancelled as soon as they are made run no more handlers than they may, and others are served as before (M2)',
    limit,
    async (t) => {
      const server = await Child.start(t, 'resets.ts')
      const url = await server.ask<string>({ serve: transport, maxRunning: MAX_RUNNING })
      const rapid = await Child.start(t, 'resets.ts')
      await rapid.ask({ dial: url })
      const client = new Endpoint({ transport, log: false })
      t.after(() => client.close())
      const others: Session[] = []
      for (let n = 0; n < OTHERS; n++) others.push(await client.dial(url))

      /** Each has one call open all the time until `until` settles. */
      const measure = async (until: Promise<unknown>): Promise<Samples> => {
        const samples = new Samples()
        let over = false
        const ended = until.finally(() => {
          over = true
        })
        await Promise.all(
          others.map(async (session) => {
            while (!over) {
              const began = performance.now()
              await session.call('/echo', 1)
              samples.add(performance.now() - began)
              await new Promise((resolve) => setTimeout(resolve, 1))
            }
          }),
        )
        await ended
        return samples
      }
      const attacked = async (count: number, reset: boolean): Promise<Samples> => {
        await rapid.ask({ prepare: count, reset })
        return measure(rapid.ask({ rate: RATE }))
      }
      await measure(new Promise((resolve) => setTimeout(resolve, REST))) // warm up
      await attacked(scaled(500, 5000), true)

      const ratios = new Samples()
      for (let n = 0; n < ROUNDS; n++) {
        const rest = await measure(new Promise((resolve) => setTimeout(resolve, REST)))
        const served = await attacked(CALLS / ROUNDS, false)
        const loaded = await attacked(CALLS / ROUNDS, true)
        const [idle, before, during] = [rest, served, loaded].map((samples) => samples.percentile(0.99))
        ratios.add(during / idle)
        t.diagnostic(
          `p99 at rest ${idle.toFixed(2)} ms, with calls ${before.toFixed(2)} ms, with resets ${during.toFixed(2)} ms of ${loaded.count}`,
        )
      }
      const look = await server.ask<Look>({ look: true })
      const ratio = ratios.percentile(0.5)
      t.diagnostic(`p99 with resets is ${ratio.toFixed(2)} times that at rest`)
      t.diagnostic(JSON.stringify(look))
      assert.ok(look.most <= MAX_RUNNING, `${look.most} handlers ran at once`)
      assert.ok(look.began > 0, 'some began')
      // Where a small sample of a shared machine says nothing, only what cannot be noise is refused.
      assert.ok(ratio <= scaled(30, 2), `p99 ${ratio} times that at rest`)
      while ((await server.ask<Look>({ look: true })).running > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    },
  )
})
