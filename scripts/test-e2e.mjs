// The end-to-end suites, on every transport; once more with two IO threads behind the native one; and those about sessions over the
// protocols that can do what raw can, over TLS and WebSocket, and in memory in virtual time.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const all = readdirSync('test/e2e').filter((name) => name.endsWith('.test.ts'))
// These test builds, packages and documentation, not transports.
const threaded = all.filter((name) => !['build.test.ts', 'package.test.ts', 'fallback.test.ts', 'snippets.test.ts'].includes(name))

// A test that waits for what never comes fails, and says which.
const MAX_MS = 120_000

function run(names, env) {
  const files = names.map((name) => `test/e2e/${name}`)
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--test', `--test-timeout=${MAX_MS}`, ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return status === 0
}

const sessions = ['call', 'deadline', 'routes', 'schema', 'session'].map((name) => `${name}.test.ts`)
const secure = [
  ...sessions,
  ...['redial', 'resume', 'resume-faults', 'overload', 'multi-client', 'filters', 'flow'].map((name) => `${name}.test.ts`),
]
// Those that use no sockets nor timers of their own.
const virtual = ['session', 'routes', 'schema', 'redial', 'plugins', 'plugin-proxy', 'plugin-events', 'plugin-secure-body'].map(
  (name) => `${name}.test.ts`,
)

let passed = run(all, {})
console.log('# with DMICRO_IO_THREADS=2')
passed = run(threaded, { DMICRO_IO_THREADS: '2', DMICRO_TEST_TRANSPORT: 'native' }) && passed
for (const protocol of ['json', 'protobuf']) {
  console.log(`# with DMICRO_TEST_PROTOCOL=${protocol}`)
  passed = run(sessions, { DMICRO_TEST_PROTOCOL: protocol }) && passed
}
const layers = [
  { layer: { DMICRO_TEST_TLS: '1' }, suites: secure },
  { layer: { DMICRO_TEST_SCHEME: 'ws' }, suites: secure.filter((name) => name !== 'filters.test.ts') }, // it has peers without WebSocket
  { layer: { DMICRO_TEST_SCHEME: 'ws', DMICRO_TEST_TLS: '1' }, suites: [...sessions, 'redial.test.ts', 'resume.test.ts'] },
]
for (const { layer, suites } of layers) {
  for (const threads of [{}, { DMICRO_IO_THREADS: '2', DMICRO_TEST_TRANSPORT: 'native' }]) {
    console.log('# with', { ...layer, ...threads })
    passed = run(suites, { ...layer, ...threads }) && passed
  }
}
console.log('# with DMICRO_TEST_TRANSPORT=memory')
passed = run(virtual, { DMICRO_TEST_TRANSPORT: 'memory' }) && passed
if (!passed) process.exit(1)
