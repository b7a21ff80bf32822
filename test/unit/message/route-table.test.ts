import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RouteGroup, Router } from '../../../src/endpoint/router.ts'
import { PluginContainer } from '../../../src/hooks/plugin.ts'
import { rpcName } from '../../../src/message/naming.ts'
import { RouteTable } from '../../../src/message/route-table.ts'
import { random } from '../../support/random.ts'

test('what was set is found, and nothing else, whatever the numbers are', () => {
  const next = random(7)
  for (const spread of [1, 2, 64, 1024, 1 << 20]) {
    const table = new RouteTable<number>()
    const expected = new Map<number, number | undefined>()
    assert.equal(table.get(0), undefined)
    for (let i = 0; i < 3000; i++) {
      const id = (spread === 1 ? i : next(2000)) * spread
      const value = next(10) === 0 ? undefined : i
      table.set(id, value)
      expected.set(id, value)
    }
    for (const [id, value] of expected) assert.equal(table.get(id), value)
    for (const id of [-1, 2_000_000_000, 3001 * spread + 1]) assert.equal(table.get(id), undefined)
  }
})

test('memory of routes follows their number, however many names the process has', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const kept: Router[] = []
  const grow = (routers: number): number => {
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    for (let i = 0; i < routers; i++) {
      const router = new Router(rpcName, new PluginContainer([]))
      const group = new RouteGroup(router)
      for (let n = 0; n < 30; n++) group.routeCall(`/own/${kept.length}/${n}`, () => 1)
      kept.push(router)
    }
    gc()
    const after = process.memoryUsage()
    return (after.heapUsed + after.arrayBuffers - heapUsed - arrayBuffers) / routers
  }
  grow(50)
  const early = grow(200)
  grow(1000)
  const late = grow(200)
  assert.ok(late < 2 * early, `${late} bytes for one of the last, ${early} for one of the first`)
})
