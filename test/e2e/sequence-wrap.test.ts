// Sequence numbers are int32 and wrap (docs/spec/wire.md#sequence-numbers): whatever a session has open then, nothing goes to a wrong place.

import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import type { CallContext, Gap, Session } from '../../src/index.ts'
import { engineOf } from '../../src/session/session.ts'
import { once, onEachTransport, pair, status } from '../support/helpers.ts'
import { resumable } from '../support/resumable.ts'

const LAST = 2 ** 31 - 1

onEachTransport('sequence numbers that wrap', (transport) => {
  for (const protocol of ['raw', 'json', 'protobuf', 'jsonrpc', 'http']) {
    test(`${protocol}: 3,000 calls of each side over the wrap and over zero have their own answers, numbers still open are passed over`, async (t) => {
      const both = { protocol }
      const { server, client, session, peer } = await pair(t, transport, { server: both, client: both })
      const gates = new Map<string, () => void>()
      const seen = new Map<string, number[]>([
        ['server', []],
        ['client', []],
      ])
      for (const [name, side] of [
        ['server', server],
        ['client', client],
      ] as const) {
        side.routeCall('/n', (n: number, ctx: CallContext) => {
          seen.get(name)?.push(ctx.seq)
          return `${name} ${n}`
        })
        side.routeCall('/wait', (n: number) => new Promise((resolve) => gates.set(`${name} ${n}`, () => resolve(`${name} waited ${n}`))))
      }
      const sides = [
        ['server', session],
        ['client', peer],
      ] as const
      const early: Promise<unknown>[] = []
      // Numbers right behind the wrap that will be open when it comes.
      for (const [name, side] of sides) {
        await side.call('/n', 0) // the first on a connection may have a number of its own
        seen.get(name)?.splice(0)
        engineOf(side).calls.open.countFrom(-(2 ** 31))
        for (let n = 0; n < 10; n++) early.push(side.call('/wait', n))
        engineOf(side).calls.open.countFrom(LAST - 1500)
      }
      const check = async (): Promise<void> => {
        const answers = await Promise.all(sides.flatMap(([, side]) => Array.from({ length: 3000 }, (_, n) => side.call('/n', n))))
        const expected = sides.flatMap(([name]) => Array.from({ length: 3000 }, (_, n) => `${name} ${n}`))
        assert.deepEqual(answers, expected)
      }
      await check()
      for (const [name, side] of sides) {
        const numbers = seen.get(name) as number[]
        assert.equal(new Set(numbers).size, 3000)
        for (let n = 1; n <= 10; n++) assert.ok(!numbers.includes(-(2 ** 31) + n), `${n} is open`)
        assert.ok(side.lastSeq < 0, 'it has wrapped')
        engineOf(side).calls.open.countFrom(-1500)
      }
      await check()
      for (const numbers of seen.values()) assert.ok(numbers.includes(0), 'zero is a number as others')
      for (const open of gates.values()) open()
      const expected = sides.flatMap(([name]) => Array.from({ length: 10 }, (_, n) => `${name} waited ${n}`))
      assert.deepEqual(await Promise.all(early), expected)
    })
  }

  test('cancelling around the wrap ends the call that is meant, and no other', async (t) => {
    const { server, session } = await pair(t, transport)
    const ends: string[] = []
    const all = once()
    let begun = 0
    const started = once()
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/work', (n: number, ctx: CallContext) => {
      if (++begun === 20) started.resolve()
      return new Promise((resolve) => {
        ctx.signal.addEventListener('abort', () => {
          ends.push(`${n} ${(ctx.signal.reason as { code: number }).code}`)
          if (ends.length === 10) all.resolve()
          resolve('late')
        })
        gates.push(() => resolve(n))
      })
    })
    const gates: (() => void)[] = []
    await session.call('/echo')
    await session.call('/echo')
    engineOf(session).calls.open.countFrom(LAST - 10)
    const aborts = Array.from({ length: 20 }, () => new AbortController())
    const calls = aborts.map(({ signal }, n) => session.call('/work', n, { signal, timeout: 0 }).catch(({ code }) => code))
    await started.promise
    for (let n = 0; n < 20; n += 2) aborts[n].abort()
    await all.promise
    assert.deepEqual(
      ends,
      Array.from({ length: 10 }, (_, n) => `${2 * n} 499`),
    )
    for (const gate of gates) gate()
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 499 : n)),
    )
    assert.equal(session.pendingCalls, 0)
  })

  for (const offset of [0, 5, 40]) {
    test(`a session that wraps ${offset} numbers after a loss goes on: calls run once, pushes come in order`, async (t) => {
      const { server, client, session, peer, proxy } = await resumable(t, transport)
      const got: Record<string, number[]> = { server: [], client: [] }
      const last = { server: once(), client: once() }
      const gaps: Gap[] = []
      for (const each of [session, peer] as Session[]) {
        each.on('gap', (gap) => gaps.push(gap))
        engineOf(each).calls.open.countFrom(LAST - 40)
      }
      const runs = new Map<string, number>()
      const gates: (() => void)[] = []
      const begun = once()
      for (const [name, side] of [
        ['server', server],
        ['client', client],
      ] as const) {
        side.routePush('/n', (n: number) => {
          got[name].push(n)
          if (n === 59) last[name].resolve()
        })
        side.routeCall('/work', async (n: number) => {
          const key = `${name} ${n}`
          runs.set(key, (runs.get(key) ?? 0) + 1)
          if (runs.size === 40) begun.resolve()
          await new Promise<void>((resolve) => gates.push(resolve))
          return key
        })
        side.routeCall('/hang', () => new Promise(() => {}))
      }
      const calls = [session, peer].flatMap((side) => Array.from({ length: 20 }, (_, n) => side.call('/work', n, { idempotent: true })))
      const cut = [session, peer].map((side) => status(side.call('/hang')))
      await begun.promise
      const push = (from: number, to: number): void => {
        for (let n = from; n < to; n++) for (const side of [session, peer]) void side.push('/n', n)
      }
      push(0, 40 - offset)
      proxy.deafen()
      push(40 - offset, 50)
      const back = Promise.all([event(session, 'redialed'), event(peer, 'resumed')])
      proxy.cut()
      for (const failed of cut) assert.equal((await failed)[0], 102)
      await back
      push(50, 60)
      for (const gate of gates) gate()
      assert.deepEqual(
        await Promise.all(calls),
        ['server', 'client'].flatMap((name) => Array.from({ length: 20 }, (_, n) => `${name} ${n}`)),
      )
      await Promise.all([last.server.promise, last.client.promise])
      const expected = Array.from({ length: 60 }, (_, n) => n)
      assert.deepEqual(got, { server: expected, client: expected })
      assert.deepEqual([...new Set(runs.values())], [1])
      assert.deepEqual(gaps, [])
      assert.deepEqual([session.pendingCalls, peer.pendingCalls], [0, 0])
    })
  }
})
