import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drivers } from '../drivers.ts'
import { type Options, parseOptions, plan, UsageError } from '../options.ts'
import { trials } from '../trials.ts'

const planned = (...args: string[]) => plan(parseOptions(args)).map(({ id, drivers }) => `${id}: ${drivers.join(' ')}`)
const refused = (...args: string[]) => {
  try {
    planned(...args)
  } catch (error) {
    assert.ok(error instanceof UsageError)
    return error.message
  }
  return 'accepted'
}

test('without arguments everything runs, three rounds of two seconds', () => {
  const options: Options = parseOptions([])
  assert.deepEqual([options.rounds, options.seconds, options.quick, options.list], [3, 2, false, false])
  assert.deepEqual(plan(options), trials)
})

test('--only takes trials and whole sweeps, --drivers narrows them', () => {
  assert.deepEqual(planned('--only', 'unary-32,routes', '--drivers', 'native'), [
    'unary-32: native',
    'routes@1: native',
    'routes@100: native',
    'routes@10000: native',
  ])
  assert.deepEqual(planned('--only', 'connections@256'), ['connections@256: native js floor'])
  assert.deepEqual(planned('--only', 'micro'), [])
  assert.deepEqual(planned('--only', 'tls,ws', '--drivers', 'node-tls,uws'), [
    ...['1x64', '64k', 'full', 'resumed', 'idle'].map((load) => `tls@${load}: node-tls`),
    ...['16x64', '256x1', 'fanout', 'idle'].map((load) => `ws@${load}: uws`),
  ])
  const protocols = planned('--only', 'protocols', '--drivers', 'native,go-dmicro,fastify')
  assert.equal(protocols.length, 12)
  assert.ok(protocols.includes('protocols@jsonrpc-object: native go-dmicro'))
  assert.ok(protocols.includes('protocols@json-1k: native go-dmicro'))
  assert.ok(protocols.includes('protocols@http-64: native go-dmicro fastify'))
  assert.deepEqual(
    planned('--only', 'codecs'),
    ['json', 'protobuf', 'msgpack', 'cbor'].map((codec) => `codecs@${codec}: native js`),
  )
})

test('--quick runs what the bars need, once for a second; with --only it is just short', () => {
  const { rounds, seconds } = parseOptions(['--quick'])
  assert.deepEqual([rounds, seconds], [1, 1])
  const quick = planned('--quick')
  assert.ok(quick.includes('pingpong: native-busy floor-spin'))
  assert.ok(quick.includes('many-object: native floor-object'))
  assert.ok(!quick.some((line) => line.startsWith('unary-32')))
  assert.equal(parseOptions(['--quick', '--rounds', '2']).rounds, 2)
  assert.deepEqual(planned('--quick', '--only', 'unary-32'), ['unary-32: native js net'])
})

test('what is unknown is refused in one line that names what is known', () => {
  assert.match(refused('--only', 'unary-65'), /^no trial is named "unary-65"; known: unary-object, .*latency-open, .*micro$/)
  assert.match(refused('--drivers', 'native,grpc'), /^no driver is named "grpc"; known: native, .*floor-spin$/)
  assert.match(refused('--fast'), /^Unknown option '--fast'/)
  assert.equal(refused('--rounds', '0'), '--rounds takes a number from 1, not "0"')
  assert.equal(refused('--rounds', '1.5'), '--rounds takes a number from 1, not "1.5"')
  assert.equal(refused('--seconds', ''), '--seconds takes a number from 0.1, not ""')
  assert.equal(refused('--only', 'fanout-10000', '--drivers', 'net'), 'no trial is left: none of these drivers takes part in these trials')
})

test('every trial has an id of its own and names drivers that exist', () => {
  assert.equal(new Set(trials.map(({ id }) => id)).size, trials.length)
  const known = new Set(drivers.map(({ name }) => name))
  for (const trial of trials) for (const name of trial.drivers) assert.ok(known.has(name), `${trial.id}: ${name}`)
})
