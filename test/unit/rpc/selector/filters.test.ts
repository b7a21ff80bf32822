import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeFilter } from '../../../../src/rpc/selector/filters/filter.ts'
import { byMetadata } from '../../../../src/rpc/selector/filters/metadata.ts'
import { byRoute } from '../../../../src/rpc/selector/filters/route.ts'
import { byVersion } from '../../../../src/rpc/selector/filters/version.ts'
import { readRange } from '../../../../src/rpc/selector/filters/version-range.ts'
import { byZone } from '../../../../src/rpc/selector/filters/zone.ts'
import type { Candidate } from '../../../../src/rpc/selector/strategy.ts'
import { candidates, node, service } from '../../../support/selector.ts'

const ids = (filter: NodeFilter, all: readonly Candidate[], path = '/a'): string =>
  filter
    .filter(all, { path })
    .map(({ node: { id } }) => id)
    .join(' ')

// Range, versions in it, versions not in it; as npm's semver decides.
const ranges: [string, string, string][] = [
  ['1.2.3', '1.2.3 v1.2.3 1.2.3+build', '1.2.4 1.2.3-a 1.2'],
  ['=1.2.3', '1.2.3', '1.2.2'],
  ['^1.2.3', '1.2.3 1.2.4 1.9.0', '1.2.2 2.0.0 2.0.0-a 1.3.0-a 0.9.9'],
  ['^0.2.3', '0.2.3 0.2.9', '0.2.2 0.3.0 1.0.0'],
  ['^0.0.3', '0.0.3', '0.0.2 0.0.4 0.1.0'],
  ['^0.0', '0.0.0 0.0.9', '0.1.0'],
  ['^0', '0.0.0 0.9.9', '1.0.0'],
  ['^1.x', '1.0.0 1.9.9', '2.0.0 0.9.9'],
  ['~1.2.3', '1.2.3 1.2.9', '1.2.2 1.3.0'],
  ['~1.2', '1.2.0 1.2.9', '1.3.0 1.1.9'],
  ['~1', '1.0.0 1.9.9', '2.0.0'],
  ['~> 1.2', '1.2.0', '1.3.0'],
  ['>=1.2.3 <2', '1.2.3 1.9.9', '1.2.2 2.0.0 2.0.0-a'],
  ['>1.2', '1.3.0 2.0.0', '1.2.0 1.2.9'],
  ['>1', '2.0.0', '1.9.9'],
  ['<=1.2', '1.2.9 0.1.0', '1.3.0'],
  ['<=1.2.3', '1.2.3', '1.2.4'],
  ['< 1.2', '1.1.9', '1.2.0 1.2.0-a'],
  ['1.2.3 - 2.3', '1.2.3 2.3.9', '1.2.2 2.4.0'],
  ['1.2 - 2.3.4', '1.2.0 2.3.4', '2.3.5'],
  ['1.x', '1.0.0 1.9.9', '2.0.0 0.9.9'],
  ['1.2.*', '1.2.0 1.2.9', '1.3.0'],
  ['1.2', '1.2.0 1.2.9', '1.3.0'],
  ['*', '0.0.0 99.0.0', '1.0.0-a'],
  ['', '0.0.0 99.0.0', '1.0.0-a'],
  ['1.x || >=3.1 <4 || 7', '1.0.0 3.1.0 7.9.9', '2.0.0 3.0.9 4.0.0 8.0.0'],
  ['>=1.2.3-beta.2', '1.2.3-beta.2 1.2.3-beta.11 1.2.3-rc 1.2.3 2.0.0', '1.2.3-beta.1 1.2.3-alpha 1.2.4-beta.3'],
  ['^1.2.3-beta', '1.2.3-beta 1.2.3-beta.0 1.9.0', '1.2.3-alpha 1.3.0-beta 2.0.0-beta'],
  ['1.2.3-1', '1.2.3-1', '1.2.3 1.2.3-2 1.2.3-a'],
  ['>1.0.0-1', '1.0.0-2 1.0.0-a 1.0.0-1.0 1.0.0', '1.0.0-1 1.0.0-0'],
  ['<*', '', '0.0.0 1.0.0'],
]

test('version ranges contain what they do in npm', () => {
  for (const [range, inside, outside] of ranges) {
    const contains = readRange(range)
    assert.ok(contains !== undefined, range)
    const list = (text: string): string[] => text.split(' ').filter((version) => version !== '')
    for (const version of list(inside)) assert.equal(contains(version), true, `${version} in ${range}`)
    for (const version of list(outside)) assert.equal(contains(version), false, `${version} not in ${range}`)
  }
})

test('what is no range and what is no version is told apart, however long', () => {
  for (const text of ['blue', '1.2.3.4', '>', '^', '1.2-a', '01.2.3', '1..2', '-1', '1.2.3-', '1.2.3-a..b', '>= <', `1.${'9'.repeat(300)}`])
    assert.equal(readRange(text), undefined, text)
  const any = readRange('*') as (version: string) => boolean
  for (const text of ['', 'blue', 'x', '1.x', '*', '1.2.3.4', '9999999999999999.0.0', 'constructor', '1'.repeat(10_000)])
    assert.equal(any(text), false, text)
})

test('byVersion takes a range, or a version that is any text', () => {
  const all = ['1.0.0', '1.4.2', '2.0.0', 'blue', ''].map(
    (version): Candidate => ({ ...candidates(1)[0], node: node(version || 'none'), service: service([], version) }),
  )
  assert.equal(ids(byVersion('^1.2'), all), '1.4.2')
  assert.equal(ids(byVersion('blue'), all), 'blue')
  assert.equal(ids(byVersion('>=1.4'), all), '1.4.2 2.0.0')
  assert.equal(ids(byVersion('3'), all), '')
})

test('byMetadata asks for all keys, and of a list for one', () => {
  const metadata = [{ env: 'prod', tier: 'a' }, { env: 'prod', tier: 'c' }, { env: 'test', tier: 'a' }, {}]
  const all = candidates(4).map((each, i): Candidate => ({ ...each, node: node(`n${i}`, metadata[i]) }))
  assert.equal(ids(byMetadata({ env: 'prod' }), all), 'n0 n1')
  assert.equal(ids(byMetadata({ env: 'prod', tier: ['a', 'b'] }), all), 'n0')
  assert.equal(ids(byMetadata({}), all), 'n0 n1 n2 n3')
})

test('metadata names that every object has are not taken for a node’s own', () => {
  const all = candidates(2).map((each, i): Candidate => {
    const metadata = i === 0 ? JSON.parse('{"__proto__":"evil","weight":"1"}') : {}
    return { ...each, node: node(`n${i}`, metadata) }
  })
  assert.equal(ids(byMetadata(JSON.parse('{"__proto__":"evil"}')), all), 'n0')
  for (const key of ['constructor', 'toString', '__proto__']) assert.equal(ids(byZone('x', { key }), all), 'n0 n1')
  assert.equal(ids(byMetadata({ constructor: 'x' }), all), '')
})

test('byZone leaves the own zone while enough of it is well', () => {
  const zoned = (ejected: number[], zone = 'a'): Candidate[] =>
    candidates(6, (i) => ({ isEjected: ejected.includes(i) })).map((each, i) => ({
      ...each,
      node: node(`n${i}`, { zone: i < 4 ? zone : 'b' }),
    }))
  assert.equal(ids(byZone('a'), zoned([])), 'n0 n1 n2 n3')
  assert.equal(ids(byZone('a'), zoned([0, 1])), 'n0 n1 n2 n3')
  assert.equal(ids(byZone('a'), zoned([0, 1, 2])), 'n0 n1 n2 n3 n4 n5')
  assert.equal(ids(byZone('a', { minHealthy: 0 }), zoned([0, 1, 2])), 'n0 n1 n2 n3')
  assert.equal(ids(byZone('a', { minHealthy: 0 }), zoned([0, 1, 2, 3])), 'n0 n1 n2 n3 n4 n5')
  assert.equal(ids(byZone('a', { minNodes: 4 }), zoned([0])), 'n0 n1 n2 n3 n4 n5')
  assert.equal(ids(byZone('a'), zoned([], 'c')), 'n0 n1 n2 n3 n4 n5')
})

test('byRoute leaves nodes that list the path, and those of registries without paths', () => {
  const paths = [['/a'], ['/b'], undefined, []]
  const all = candidates(4).map((each, i): Candidate => ({ ...each, node: node(`n${i}`, {}, { paths: paths[i] }) }))
  assert.equal(ids(byRoute(), all, '/a'), 'n0 n2')
  assert.equal(ids(byRoute(), all.slice(0, 2), '/c'), 'n0 n1')
  assert.equal(ids(byRoute({ strict: true }), all.slice(0, 2), '/c'), '')
})
