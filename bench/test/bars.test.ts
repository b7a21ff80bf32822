import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bars, evaluate, quickPairs } from '../bars.ts'
import { evaluateMicro } from '../micro-bars.ts'
import type { Measurement, Outcome, TrialResult } from '../results.ts'
import { trials } from '../trials.ts'

const runs = (...measured: Measurement[]): Outcome => ({ label: 'a driver', runs: measured })
const trial = (id: string, drivers: Record<string, Outcome>): TrialResult => ({ id, group: 'unary', title: id, drivers })
const bar = (results: TrialResult[], id: string) => {
  const found = evaluate(
    results,
    results.map((result) => result.id),
  ).find((bar) => bar.id === id)
  assert.ok(found !== undefined, id)
  const { bar: wanted, value, text, met } = found
  return { bar: wanted, value, text, met }
}
const rates = (...values: number[]) => runs(...values.map((calls_per_second) => ({ calls_per_second })))

test('every bar names a trial, and drivers that take part in it', () => {
  for (const pair of quickPairs) {
    const [id, driver] = pair.split(' ')
    assert.ok(trials.find((trial) => trial.id === id)?.drivers.includes(driver), pair)
  }
  const results = evaluate(
    [],
    trials.map(({ id }) => id),
  )
  assert.equal(results.length, bars.length)
  assert.equal(new Set(results.map(({ id }) => id)).size, bars.length)
})

test('a ratio is one of medians', () => {
  const results = [trial('unary-64', { native: rates(240_000, 100_000, 999_000), net: rates(200_000) })]
  assert.deepEqual(bar(results, 'unary-64 native k/s net'), { bar: '≥ 1.2 ×', value: 1.2, text: '240 k/s / 200 k/s = 1.20', met: true })
  assert.equal(bar([trial('unary-64', { native: rates(239_000), net: rates(200_000) })], 'unary-64 native k/s net').met, false)
})

test('objects are held against more than strings are', () => {
  const results = (native: number) => [trial('unary-object', { native: rates(native), net: rates(100_000), socketio: rates(38_000) })]
  const met = (native: number) => ['net', 'socketio'].map((than) => bar(results(native), `unary-object native k/s ${than}`).met)
  assert.deepEqual(met(190_000), [true, true])
  assert.deepEqual(met(189_000), [false, false])
})

test('256 connections cost little more than where the same object is parsed and printed by the least of C++', () => {
  const cost = (server_cpu_us_per_call: number) => runs({ server_cpu_us_per_call })
  const results = (native: number) => [trial('many-object', { native: cost(native), floor: cost(1), 'floor-object': cost(5) })]
  assert.equal(bar(results(6), 'many-object native µs floor-object').met, true)
  assert.equal(bar(results(6.1), 'many-object native µs floor-object').met, false)
})

test('an absolute bar needs no other driver', () => {
  const results = (p50_us: number) => [trial('pingpong', { 'native-busy': runs({ p50_us }) })]
  assert.deepEqual(bar(results(15), 'pingpong native-busy µs'), { bar: '≤ 15 µs', value: 15, text: '15.00 µs', met: true })
  assert.equal(bar(results(15.1), 'pingpong native-busy µs').met, false)
})

test('what was not measured meets nothing, and says why', () => {
  const missing = { label: 'NATS', missing: 'nats-server is not installed' }
  const results = [trial('unary-64', { native: rates(1), nats: missing })]
  const unmeasured = { value: null, met: null }
  assert.deepEqual(bar(results, 'unary-64 native k/s nats'), {
    bar: '≥ 8 ×',
    text: 'NATS is missing: nats-server is not installed',
    ...unmeasured,
  })
  assert.deepEqual(bar(results, 'unary-64 native k/s net'), { bar: '≥ 1.2 ×', text: 'not measured', ...unmeasured })
})

test('TLS is held against clear text and against node:tls of the same run', () => {
  const cost = (server_cpu_us_per_call: number) => runs({ server_cpu_us_per_call })
  const many = (tls: number) => [trial('tls@256x1', { 'native-tls': cost(tls), native: cost(10), 'js-tls': cost(28) })]
  const met = (tls: number) => ['native', 'js-tls'].map((than) => bar(many(tls), `tls@256x1 native-tls µs ${than}`).met)
  assert.deepEqual(met(14), [true, true])
  assert.deepEqual(met(14.1), [false, false])
  const shaken = [trial('tls@full', { 'native-tls': cost(400), 'node-tls': cost(500) })]
  assert.deepEqual(bar(shaken, 'tls@full native-tls handshakes/CPU s node-tls'), {
    bar: '≥ 1 ×',
    value: 1.25,
    text: '2500 handshakes/CPU s / 2000 handshakes/CPU s = 1.25',
    met: true,
  })
})

test('a session over TLS has an amount and a part of what it takes in node:tls', () => {
  const size = (bytes_per_session: number) => runs({ bytes_per_session })
  const results = [trial('tls@idle', { 'native-tls': size(12_288), 'node-tls': size(40_000) })]
  assert.equal(bar(results, 'tls@idle native-tls B').met, true)
  assert.equal(bar(results, 'tls@idle native-tls B node-tls').met, false)
})

test('WebSocket costs little more than TCP, and less than servers that echo without RPC', () => {
  const cost = (server_cpu_us_per_call: number) => runs({ server_cpu_us_per_call })
  const results = [trial('ws@16x64', { 'native-ws': cost(1.25), native: cost(1), uws: cost(2), ws: cost(6) })]
  assert.equal(bar(results, 'ws@16x64 native-ws µs native').met, true)
  assert.deepEqual(
    ['uws', 'ws'].map((than) => bar(results, `ws@16x64 native-ws k/CPU s ${than}`).met),
    [true, false],
  )
})

test('a heap that shrinks is flat', () => {
  assert.equal(bar([trial('heap', { native: runs({ heap_growth: -0.01 }) })], 'heap native %').met, true)
  assert.equal(bar([trial('heap', { native: runs({ heap_growth: 0.011 }) })], 'heap native %').met, false)
})

test('protocols are held against others by the calls that a second of server CPU answers', () => {
  const cost = (server_cpu_us_per_call: number) => runs({ server_cpu_us_per_call })
  const results = (native: number) => [trial('protocols@http-1k', { native: cost(native), fastify: cost(20), 'go-dmicro': cost(30) })]
  assert.deepEqual(bar(results(10), 'protocols@http-1k native k/CPU s fastify'), {
    bar: '≥ 2 ×',
    value: 2,
    text: '100 k/CPU s / 50.00 k/CPU s = 2.00',
    met: true,
  })
  assert.equal(bar(results(10), 'protocols@http-1k native k/CPU s go-dmicro').met, true)
  assert.equal(bar(results(10.1), 'protocols@http-1k native k/CPU s fastify').met, false)
})

test('AES-GCM must make a gigabyte a second where Node does', () => {
  const rows = (ours_ns: number, bare_ns: number) => [
    { group: 'codec', name: 'json', native_ns: 1, js_ns: 1 },
    { group: 'aes-gcm', name: 'pack 64 KiB', bytes: 65_536, ours_ns, bare_ns },
    { group: 'aes-gcm job', name: 'pack 64 KiB', bytes: 65_536, ours_ns, bare_ns },
  ]
  const met = (ours_ns: number, bare_ns: number) => evaluateMicro(rows(ours_ns, bare_ns)).map((bar) => bar.met)
  assert.deepEqual(met(65_536, 30_000), [true])
  assert.deepEqual(met(66_000, 30_000), [false])
  assert.deepEqual(met(70_000, 66_000), [null])
  assert.equal(evaluateMicro(rows(32_768, 32_768))[0].text, '2.00 GB/s, node:crypto 2.00 GB/s')
})

test('a codec of ours is held against the fastest of its packages, and none against the engine', () => {
  const row = (name: string, ours_ns: number, others: Record<string, number>) => ({ group: 'object codec', name, ours_ns, others })
  const found = evaluateMicro([
    row('cbor, decode', 300, { slow: 900, 'cbor-x': 300 }),
    row('msgpack, decode', 300, { msgpackr: 150, slow: 900 }),
    row('json, decode', 300, { JSON: 100 }),
  ])
  assert.deepEqual(
    found.map(({ id, against, met }) => [id, against, met]),
    [
      ['micro object codec cbor, decode', 'cbor-x', true],
      ['micro object codec msgpack, decode', 'msgpackr', false],
    ],
  )
  assert.equal(found[1].text, '300 ns, msgpackr 150 ns: 0.50')
})

test('a publish on the event bus has a limit of its own, and one beside an emitter', () => {
  const row = (name: string, ours_ns: number, others: Record<string, number>) => ({ group: 'event bus', name, ours_ns, others })
  const found = evaluateMicro([row('1 listener', 15, { eventemitter3: 9 }), row('100 listeners by 3 wildcards', 10_001, {})])
  assert.deepEqual(
    found.map(({ id, text, met }) => [id, text, met]),
    [
      ['micro event bus 1 listener', '15.0 ns', true],
      ['micro event bus 1 listener eventemitter3', '15.0 ns / 9.0 ns = 1.67', false],
      ['micro event bus 100 listeners by 3 wildcards', '10001.0 ns', false],
    ],
  )
})
