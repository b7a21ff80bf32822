import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compatibilityPage, pageFile } from '../../interop/compatibility.ts'
import { nodeChecks } from '../../interop/node-checks/index.ts'
import { readOutcomes } from '../../interop/outcomes.ts'
import { spoken } from '../../interop/protocols.ts'

const outcomes = readOutcomes()

test('docs/compatibility.md is what its outcomes make', () => {
  // Stale? npm run docs:compatibility
  assert.equal(
    readFileSync(pageFile, 'utf8'),
    compatibilityPage(outcomes, readOutcomes('tls'), readOutcomes('websocket'), readOutcomes('kcp'), readOutcomes('quic')),
  )
})

test('the outcomes are of the checks there are, in the protocols there are, and none failed', () => {
  // Stale? DMICRO_INTEROP=record npm run test:interop, with Go installed
  for (const protocol of spoken) {
    const recorded = outcomes.filter((outcome) => outcome.protocol === protocol && outcome.direction === 'Node calls Go')
    const expected = nodeChecks.map(({ name, row, not }) => ({ name, row, outcome: not?.[protocol] ?? 'works' }))
    const sorted = (list: { name: string }[]) => list.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const transport of ['native', 'js'] as const) {
      assert.deepEqual(sorted(recorded.map(({ name, row, ...found }) => ({ name, row, outcome: found[transport] }))), sorted(expected))
    }
    const fromGo = outcomes.filter((outcome) => outcome.protocol === protocol && outcome.direction === 'Go calls Node')
    assert.ok(fromGo.length > 60, `only ${fromGo.length} checks of Go in ${protocol}`)
    for (const { name, native, js } of fromGo)
      assert.ok(native === js && native !== 'fails' && native !== 'not run', `${name}: ${native}, ${js}`)
  }
  assert.deepEqual(
    outcomes.filter(({ protocol }) => !spoken.includes(protocol)),
    [],
  )
})

test('over TLS and WebSocket both roles were run in each protocol, on both transports, and nothing failed', () => {
  const expected = { tls: ['raw', 'json'], websocket: ['raw', 'json', 'protobuf'] } as const
  for (const below of ['tls', 'websocket'] as const) {
    const found = readOutcomes(below)
    for (const protocol of expected[below]) {
      for (const direction of ['Node calls Go', 'Go calls Node']) {
        const cells = found.filter((outcome) => outcome.protocol === protocol && outcome.direction === direction)
        assert.ok(cells.length >= (below === 'tls' ? 60 : 6), `${below} ${protocol} ${direction}: ${cells.length} checks`)
        for (const { name, native, js } of cells)
          assert.ok(native === js && native !== 'fails' && native !== 'not run', `${below}, ${name}: ${native}, ${js}`)
      }
    }
  }
})
