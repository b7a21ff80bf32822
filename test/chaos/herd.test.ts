import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { transports } from '../helpers.ts'
import type { Back, CameBack, Dial, Watch } from './fixtures/herd.ts'
import type { Serve, Stall } from './fixtures/server.ts'
import { Child, limit, long, Samples, scaled } from './support.ts'
import { clock } from './traffic.ts'

const CLIENTS = scaled(300, 5000)
const PROCESSES = scaled(1, 2)
/** Milliseconds until another server takes over. The clients need some to notice that the old one is gone. */
const OUTAGES = scaled([400], [400, 1000, 4000])
/**
 * 5 % of 5,000 in each of the 20 bins of 2 s is exactly all of them, so whoever is back a moment before the 2 s are over makes a bin fuller than
 * that: spread evenly over 1,950 ms each has 5.13 %. What the system's timers and a busy machine add is a few clients more or less; while a loop stands still its clients gather.
 */
const FULLEST = 0.055

describe('S4: clients that lose their server together', () => {
  for (const transport of transports)
    for (const outage of OUTAGES)
      it(`are back in 2 s, evenly: ${transport}, gone for ${outage} ms`, limit, async (t) => {
        let url = 'tcp://127.0.0.1:0'
        const serve = (child: Child): Promise<string> => child.ask<string>({ do: 'serve', url, transport } satisfies Serve)
        const [old, next] = await Promise.all([Child.start(t, 'server.ts'), Child.start(t, 'server.ts')])
        const herds = await Promise.all(Array.from({ length: PROCESSES }, () => Child.start(t, 'herd.ts')))
        url = await serve(old)
        for (const herd of herds) await herd.ask({ do: 'dial', url, transport, count: CLIENTS / PROCESSES } satisfies Dial)
        await old.kill()
        await new Promise((resolve) => setTimeout(resolve, outage))
        const stall = { do: 'stall' } satisfies Stall
        for (const herd of herds) await herd.ask({ do: 'watch' } satisfies Watch)
        await next.ask(stall)
        await serve(next)
        const since = clock()
        const back = await Promise.all(herds.map((herd) => herd.ask<CameBack>({ do: 'back' } satisfies Back)))
        const times = new Samples(back.flatMap(({ times }) => times).map((time) => time - since))
        const bins = times.bins(100)
        const stalled = await next.ask<number>(stall)
        const still = Math.max(stalled, ...back.map(({ stall }) => stall))
        t.diagnostic(
          `${times.count} back in ${times.max.toFixed()} ms; server stood still ${stalled.toFixed()} ms, any ${still.toFixed()}; ` +
            `of each 100 ms ${bins.join(' ')}`,
        )
        assert.equal(times.count, CLIENTS)
        // On a machine that others use too, that all are back is what can be said.
        if (!long) return
        assert.ok(times.max <= 2000 + still, `the last came after ${times.max} ms`)
        assert.ok(stalled <= 100, `the server's loop stood still for ${stalled} ms`)
        assert.ok(Math.max(...bins) <= (FULLEST + still / 2000) * CLIENTS, bins.join(' '))
      })
})
