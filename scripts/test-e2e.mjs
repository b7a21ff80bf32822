// The end-to-end suites, on every transport; once more with two IO threads behind the native one; and those about
// sessions over the protocols that can do what raw can, over TLS, WebSocket and KCP, and in memory in virtual time.
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { runTests } from './node-test.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const all = readdirSync('test/e2e').filter((name) => name.endsWith('.test.ts'))
const begins = (file, names) => names.some((name) => file.startsWith(name))
// These test builds, packages, documentation and processes, not transports. They mostly wait for processes to start.
const isApart = (file) =>
  begins(file, [
    'build',
    'console-browser',
    'ctl',
    'dmctl',
    'dserver',
    'fallback',
    'package',
    'restart-foreign',
    'snippets',
    'supervisor',
    'websocket-upgrade',
  ])
const apart = all.filter(isApart)
const onSockets = all.filter((file) => !isApart(file))
// These have no native transport, or look at files.
const threaded = onSockets.filter((file) => !begins(file, ['browser-bundle', 'bundles', 'startup', 'testing-']))

/**
 * Runs suites with `env` added to the environment, which is also how the run is called, `processes` files at a time.
 */
function run(names, env, processes = 1) {
  const label = Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
  console.log(`# test/e2e ${label}`)
  return runTests(
    names.map((name) => `test/e2e/${name}`),
    { label: `test/e2e ${label}`, env, processes },
  )
}

const sessions = ['call', 'deadline', 'routes', 'schema', 'session'].map((name) => `${name}.test.ts`)
const secure = [
  ...sessions,
  ...[
    'redial',
    'resume',
    'resume-faults',
    'resume-idempotent',
    'overload',
    'multi-client',
    'filters',
    'filters-received',
    'flow',
    'json-texts',
  ].map((name) => `${name}.test.ts`),
]
// Suites that use no sockets nor timers of their own.
const virtual = ['session', 'routes', 'schema', 'redial', 'plugins', 'plugin-proxy', 'plugin-events', 'plugin-secure-body'].map(
  (name) => `${name}.test.ts`,
)

const atATime = availableParallelism()
let passed = run(onSockets, {})
passed = run(apart, {}, atATime) && passed
passed = run(threaded, { DMICRO_IO_THREADS: '2', DMICRO_TEST_TRANSPORT: 'native' }) && passed
for (const protocol of ['json', 'protobuf']) {
  passed = run(sessions, { DMICRO_TEST_PROTOCOL: protocol }, atATime) && passed
}
const layers = [
  { layer: { DMICRO_TEST_TLS: '1' }, suites: secure },
  { layer: { DMICRO_TEST_SCHEME: 'ws' }, suites: secure.filter((name) => !name.startsWith('filters')) }, // it has peers without WebSocket
  { layer: { DMICRO_TEST_SCHEME: 'ws', DMICRO_TEST_TLS: '1' }, suites: [...sessions, 'redial.test.ts', 'resume.test.ts'] },
]
for (const { layer, suites } of layers) {
  for (const threads of [{}, { DMICRO_IO_THREADS: '2', DMICRO_TEST_TRANSPORT: 'native' }]) {
    passed = run(suites, { ...layer, ...threads }, atATime) && passed
  }
}
const overKcp = ['call', 'session', 'redial', 'resume', 'overload', 'flow', 'plugin-heartbeat', 'resume-strangers'].map(
  (name) => `${name}.test.ts`,
)
passed = run(overKcp, { DMICRO_TEST_SCHEME: 'kcp' }, atATime) && passed
// QUIC is the same code on both transports, and where its package has no binary there is none.
const hasQuic = await import('@matrixai/quic/native/quiche.js').then(
  () => true,
  () => false,
)
const quic = { DMICRO_TEST_SCHEME: 'quic', DMICRO_TEST_TRANSPORT: 'js' }
const overQuic = ['call', 'session', 'redial', 'overload'].map((name) => `${name}.test.ts`)
if (hasQuic) passed = run(overQuic, quic, atATime) && passed
// The suite cuts connections, which over QUIC silence alone tells of.
if (hasQuic) passed = run(['resume.test.ts'], { ...quic, DMICRO_TEST_QUIC_IDLE: '200' }) && passed
passed = run(virtual, { DMICRO_TEST_TRANSPORT: 'memory' }) && passed
if (!passed) process.exit(1)
