import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { transports } from '../support/helpers.ts'
import type { Fill, Look, Looked, Room } from './fixtures/full.ts'
import type { Back, CameBack, Dial } from './fixtures/herd.ts'
import { Child, limit, long, Samples, scaled, side } from './support.ts'

const CLIENTS = scaled(200, 1000)
/** Periods of `MAX_DELAY` that are looked at. */
const PERIODS = scaled(1, 5)
/** Milliseconds: of redial, and until all are in once there is room. */
const MAX_DELAY = 1950
const ALL_BACK = 2000

describe('clients that redial to a server without room', side, () => {
  for (const transport of transports)
    it(`each asks once in maxDelay, and all are in 2 s after there is room: ${transport}`, limit, async (t) => {
      const [server, herd] = await Promise.all([Child.start(t, 'full.ts'), Child.start(t, 'herd.ts')])
      const url = await server.ask<string>({ do: 'fill', transport, count: CLIENTS } satisfies Fill)
      await herd.ask({ do: 'dial', url, transport, count: CLIENTS } satisfies Dial)
      // A busy machine takes a while to refuse all of them once.
      let atFirst = 0
      while (atFirst < CLIENTS) atFirst += (await server.ask<Looked>({ do: 'look' } satisfies Look)).refused
      for (let period = 0; period < PERIODS; period++) {
        await new Promise((resolve) => setTimeout(resolve, MAX_DELAY))
        const { refused, cpu, passed, sessions } = await server.ask<Looked>({ do: 'look' } satisfies Look)
        const each = refused / CLIENTS / (passed / MAX_DELAY)
        t.diagnostic(
          `${atFirst} refused at first; then ${each.toFixed(2)} a client in maxDelay, ${((cpu / passed) * 100).toFixed(1)} % of a core, ${sessions} sessions`,
        )
        assert.ok(each >= 0.7 && each <= 1.3, `${each} attempts of each client in maxDelay`)
      }
      const since = await server.ask<number>({ do: 'room' } satisfies Room)
      const { times } = await herd.ask<CameBack>({ do: 'back' } satisfies Back)
      const back = new Samples(times.map((time) => time - since))
      t.diagnostic(`${back.count} back in ${back.max.toFixed()} ms; of each 100 ms ${back.bins(100).join(' ')}`)
      assert.equal(back.count, CLIENTS)
      // On a machine that others use too, that all are back is what can be said.
      if (long) assert.ok(back.max <= ALL_BACK, `the last came after ${back.max} ms`)
    })
})
