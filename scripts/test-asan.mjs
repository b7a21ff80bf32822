// Runs the native end-to-end suites on an addon built with AddressSanitizer, UndefinedBehaviorSanitizer and
// LeakSanitizer, in a copy of the tree, so that the ordinary build stays. Linux with g++; Node itself is not
// instrumented.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Without those that start processes of their own, which build or load another addon, or none.
const SUITES = [
  'call',
  'bad-input',
  'close',
  'overload',
  'session',
  'deadline',
  'routes',
  'busy-poll',
  'native-misuse',
  'io-threads',
  'filters',
  'filters-received',
  'tls',
  'tls-handshakes',
  'tls-hostile',
  'websocket',
  'websocket-hardening',
  'websocket-others',
  'websocket-peers',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'dmicro-asan-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, { cwd: folder, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) process.exit(status ?? 1)
}

const library = (name) => spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim()

for (const part of ['src', 'native', 'test', 'package.json', 'tsconfig.json', 'CMakeLists.txt']) {
  cpSync(join(root, part), join(folder, part), { recursive: true })
}
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
run(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'compile', '--CDDMICRO_SANITIZE=ON', '--CDCMAKE_CXX_COMPILER=g++'])
const sanitized = {
  DMICRO_TEST_TRANSPORT: 'native',
  LD_PRELOAD: `${library('libasan.so')}:${library('libubsan.so')}`,
  // Addons that `ws` uses where they are installed; they leak what they register.
  WS_NO_BUFFER_UTIL: '1',
  WS_NO_UTF_8_VALIDATE: '1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
}
for (const threads of [{}, { DMICRO_IO_THREADS: '2' }]) {
  run(process.execPath, ['--import', 'tsx', '--test', ...SUITES.map((name) => `test/e2e/${name}.test.ts`)], { ...sanitized, ...threads })
}
