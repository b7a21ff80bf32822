import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aesGcm } from '../../../src/filters/aes-gcm.ts'
import { makeFilters } from '../../../src/filters/filter-table.ts'
import { gzip } from '../../../src/filters/gzip.ts'
import type { Filter } from '../../../src/message/filter.ts'

const same = (bytes: Uint8Array): Uint8Array => bytes
const filter = (id: number, name: string): Filter => ({ id, name, pack: same, unpack: same })

test('gzip and md5 are there, others only when given', () => {
  const table = makeFilters([])
  assert.deepEqual([table.byId(0x7a)?.name, table.byId(0x35)?.name], ['gzip', 'md5'])
  assert.deepEqual([table.byName('gzip')?.id, table.byName('md5')?.id], [0x7a, 0x35])
  for (const id of [0, 1, 0x61, 255]) assert.equal(table.byId(id), undefined)
})

test('ids and names are unique; one of your own takes the place of a default', () => {
  const mine = gzip({ level: 1 })
  assert.equal(makeFilters([mine]).byName('gzip'), mine)
  assert.equal(makeFilters([filter(1, 'md5')]).byId(0x35), undefined)
  assert.throws(() => makeFilters([filter(1, 'a'), filter(1, 'b')]), /id 1 is taken by "a"/)
  assert.throws(() => makeFilters([filter(1, 'a'), filter(2, 'a')]), /name "a" is taken/)
  for (const id of [0, 256, -1, 1.5, '1']) assert.throws(() => makeFilters([filter(id as number, 'a')]), RangeError)
  for (const name of ['', 1, undefined]) assert.throws(() => makeFilters([filter(1, name as string)]), TypeError)
})

test('names become a pipe, behind the one there is', () => {
  const table = makeFilters([filter(1, 'one')])
  const names = (pipe: readonly Filter[] | undefined) => pipe?.map(({ name }) => name)
  assert.equal(table.append(undefined, [], 4), undefined)
  const pipe = table.append(undefined, ['gzip', 'one', 'gzip'], 4)
  assert.deepEqual(names(pipe), ['gzip', 'one', 'gzip'])
  assert.deepEqual(names(table.append(pipe, ['md5'], 4)), ['gzip', 'one', 'gzip', 'md5'])
  assert.equal(pipe?.length, 3)
  assert.equal(table.append(pipe, [], 4), pipe)
  assert.throws(() => table.append(pipe, ['md5', 'md5'], 4), /5 transfer filters are over the limit of 4/)
  assert.throws(() => table.append(undefined, ['nope'], 4), /no transfer filter is named "nope"/)
  assert.throws(() => table.append(undefined, ['__proto__'], 4), TypeError)
})

test('a filter that refuses what came before is used once on a message', () => {
  const table = makeFilters([aesGcm({ keys: { 0: new Uint8Array(32) }, current: 0 })])
  assert.throws(() => table.append(undefined, ['aes-gcm', 'gzip', 'aes-gcm'], 4), /used once/)
})
