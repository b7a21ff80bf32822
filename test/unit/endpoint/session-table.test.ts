import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SessionTable } from '../../../src/endpoint/session-table.ts'

it('an id takes the same work however many sessions have the address', () => {
  const table = new SessionTable<{ id: string }>()
  let looks = 0
  const { has } = Map.prototype
  Map.prototype.has = function (key) {
    looks++
    return has.call(this, key)
  }
  try {
    for (let n = 0; n < 5000; n++) table.add({ id: table.freeId('@') })
  } finally {
    Map.prototype.has = has
  }
  assert.ok(looks <= 2 * 5000, `${looks} look-ups`)
  assert.equal(table.size, 5000)
  assert.deepEqual([...table.values()].slice(0, 3), [{ id: '@' }, { id: '@#2' }, { id: '@#3' }])
})

it('an id is never that of another session, also where users took the next ones', () => {
  const table = new SessionTable<{ id: string }>()
  for (const id of ['@', '@#2', '@#3']) table.add({ id })
  const session = { id: table.freeId('@') }
  assert.equal(session.id, '@#4')
  table.add(session)
  const [first] = table.values()
  table.remove(first)
  assert.equal(table.freeId('@'), '@')
  assert.equal(table.freeId('127.0.0.1:80'), '127.0.0.1:80')
  assert.equal(table.rename(session, '@#3')?.id, '@#3')
  assert.equal(table.get('@#3'), session)
  assert.equal(table.get('@#4'), undefined)
})
